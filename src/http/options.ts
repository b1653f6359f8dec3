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
};

export type ResolvedHttpOptions = {
	readonly allowedOrigins: readonly string[];
	readonly allowedHosts: readonly string[] | undefined;
	readonly path: string | undefined;
	readonly healthPath: string | undefined;
	readonly resourceMetadata: ResourceMetadata | undefined;
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
};

export function resolveHttpOptions(options: HttpOptions): ResolvedHttpOptions {
	return {
		allowedOrigins: options.allowedOrigins ?? [],
		allowedHosts: options.allowedHosts,
		path: options.path,
		healthPath: options.healthPath,
		resourceMetadata: options.resourceMetadata,
	};
}
