import { isObject } from "../jsonrpc.ts";
import { isText, type OptionRule, type OptionRules } from "../validate.ts";

/** What an OAuth client is told about who guards the endpoint: RFC 9728, protected resource metadata. */
export type ResourceMetadata = {
	/** The issuers whose tokens are accepted, such as `https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc`. */
	readonly authorizationServers: readonly string[];
	/** The scopes that a client may ask for. @default none is listed */
	readonly scopes?: readonly string[] | undefined;
	/**
	 * The URL of the endpoint as its clients write it.
	 *
	 * @default the front's own origin and the path that was asked for; a front that does not know its origin needs it
	 */
	readonly resource?: string | undefined;
};

/**
 * What a client may learn of the server before it connects: a Server Card, which is an experiment of MCP's working group
 * (https://github.com/modelcontextprotocol/experimental-ext-server-card). Everybody may read it. `$schema` and `remotes` are added.
 */
export type ServerCard = {
	/** Reversed domain and name, such as `"com.example/weather"`; with at most 200 characters. */
	readonly name: string;
	/** The server's version, as it says it itself. */
	readonly version: string;
	/** What it is for, in at most 100 characters. */
	readonly description: string;
	/** What people call it, in at most 100 characters. */
	readonly title?: string | undefined;
	readonly websiteUrl?: string | undefined;
	readonly repository?: Readonly<Record<string, unknown>> | undefined;
	readonly icons?: readonly Readonly<Record<string, unknown>>[] | undefined;
	/** Where the server is reached. @default the endpoint, by the URL that the front knows or `resourceMetadata.resource` says */
	readonly remotes?: readonly Readonly<Record<string, unknown>>[] | undefined;
	readonly _meta?: Readonly<Record<string, unknown>> | undefined;
};

/** How requests over HTTP are received, by the middleware and by `createMcpFetch` alike. */
export type HttpOptions = {
	/**
	 * The origins of web pages that may send requests, such as `"https://app.example.com"`. The endpoint's own origin and
	 * those of this machine pass without being listed; any other gets 403.
	 *
	 * @default []
	 */
	readonly allowedOrigins?: readonly string[] | undefined;
	/** The hosts, with or without a port, that a request may be addressed to; any other gets 403. @default all */
	readonly allowedHosts?: readonly string[] | undefined;
	/** The path of the endpoint, such as `"/mcp"`; another gets 404. @default all */
	readonly path?: string | undefined;
	/** A path where GET is answered with 200 and no process is started, for health checks. @default none */
	readonly healthPath?: string | undefined;
	/** Served at `/.well-known/oauth-protected-resource`, with and without the endpoint's path behind it. @default none */
	readonly resourceMetadata?: ResourceMetadata | undefined;
	/**
	 * Served behind the endpoint's path at `/server-card`, and listed at `/.well-known/ai-catalog.json`. Experimental, as the draft is.
	 *
	 * @default none
	 */
	readonly serverCard?: ServerCard | undefined;
};

export type ResolvedHttpOptions = {
	readonly allowedOrigins: readonly string[];
	readonly allowedHosts: readonly string[] | undefined;
	readonly path: string | undefined;
	readonly healthPath: string | undefined;
	readonly resourceMetadata: ResourceMetadata | undefined;
	readonly serverCard: ServerCard | undefined;
};

const isListOf = (accepts: (item: string) => boolean) => (value: unknown) =>
	Array.isArray(value) && value.every((item) => isText(item) && accepts(item));

const isUrl = (value: string): boolean => /^https?:\/\//i.test(value) && URL.canParse(value);

const absolutePath: OptionRule = {
	expected: 'a path that begins with a slash, such as "/mcp"',
	accepts: (value) => isText(value) && /^\/[^?#\s]*$/.test(value),
};

export const httpRules: OptionRules<HttpOptions> = {
	allowedOrigins: {
		expected: 'an array of origins, such as "https://app.example.com", without a path',
		accepts: isListOf((origin) => isUrl(origin) && new URL(origin).origin === origin),
	},
	allowedHosts: {
		expected: 'an array of hosts, such as "mcp.example.com" or "localhost:3000"',
		accepts: isListOf((host) => /^([\w.-]+|\[[\da-fA-F:.]+\])(:\d{1,5})?$/.test(host)),
	},
	path: absolutePath,
	healthPath: absolutePath,
	resourceMetadata: {
		expected: "an object with authorizationServers (an array of URLs), and perhaps scopes and resource",
		accepts: (value) =>
			isObject(value) &&
			Object.keys(value).every((name) => ["authorizationServers", "scopes", "resource"].includes(name)) &&
			isListOf(isUrl)(value.authorizationServers) &&
			(value.scopes === undefined || isListOf(() => true)(value.scopes)) &&
			(value.resource === undefined || (isText(value.resource) && isUrl(value.resource))),
	},
	serverCard: {
		expected:
			'an object with name (such as "com.example/weather"), version and description (100 characters), and perhaps title, websiteUrl, repository, icons, remotes and _meta',
		accepts: isServerCard,
	},
};

const isTextOf =
	(longest: number) =>
	(value: unknown): boolean =>
		isText(value) && value !== "" && value.length <= longest;
const isOptional = (accepts: (value: unknown) => boolean) => (value: unknown) => value === undefined || accepts(value);
const isObjects = (value: unknown): boolean => Array.isArray(value) && value.every(isObject);

/** https://github.com/modelcontextprotocol/experimental-ext-server-card/blob/main/schema.ts */
const cardMembers: { readonly [member in keyof Required<ServerCard>]: (value: unknown) => boolean } = {
	name: (value) => isTextOf(200)(value) && /^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/.test(value as string),
	version: isTextOf(255),
	description: isTextOf(100),
	title: isOptional(isTextOf(100)),
	websiteUrl: isOptional((value) => isText(value) && isUrl(value)),
	repository: isOptional(isObject),
	icons: isOptional(isObjects),
	remotes: isOptional(isObjects),
	_meta: isOptional(isObject),
};

function isServerCard(value: unknown): boolean {
	return (
		isObject(value) &&
		Object.keys(value).every((member) => Object.hasOwn(cardMembers, member)) &&
		Object.entries(cardMembers).every(([member, accepts]) => accepts(value[member]))
	);
}

export function resolveHttpOptions(options: HttpOptions): ResolvedHttpOptions {
	return {
		allowedOrigins: options.allowedOrigins ?? [],
		allowedHosts: options.allowedHosts,
		path: options.path,
		healthPath: options.healthPath,
		resourceMetadata: options.resourceMetadata,
		serverCard: options.serverCard,
	};
}
