import { type HttpAnswer, type HttpRequestHead, jsonAnswer, readableByAll, refuse, withoutSlash } from "./message.ts";
import type { ResourceMetadata } from "./options.ts";

// https://www.rfc-editor.org/rfc/rfc9728#section-3.1: the path of the resource comes behind the well-known part.
const wellKnownPath = "/.well-known/oauth-protected-resource";

/** Answers what is asked below `/.well-known/`; `undefined` for any other path. */
export function answerWellKnown(
	request: HttpRequestHead,
	metadata: ResourceMetadata | undefined,
	endpointPath: string | undefined,
): HttpAnswer | undefined {
	const { method, path } = request;
	if (!path.startsWith("/.well-known/")) return undefined;
	const suffix = suffixOf(path);
	const isEndpoint = suffix === "" || endpointPath === undefined || isPathOf(request, suffix ?? "", endpointPath);
	if (!metadata || suffix === undefined || !isEndpoint) return refuse(404, `Not found: ${path.slice(0, 200)}`);
	// Clients in a browser ask from any page, with a header of MCP's that takes a preflight.
	if (method === "OPTIONS") return { status: 204, headers: readableByAll, body: "" };
	if (method !== "GET" && method !== "HEAD") {
		return refuse(405, "Method not allowed: the metadata is read with GET", {
			headers: { allow: "GET, HEAD, OPTIONS" },
		});
	}
	const resource = metadata.resource ?? endpointUrl(request, suffix === "" ? (endpointPath ?? "") : suffix);
	if (resource === undefined) {
		return refuse(500, "The URL of this endpoint is not known; set resourceMetadata.resource", { code: -32603 });
	}
	const described = {
		resource,
		authorization_servers: metadata.authorizationServers,
		...(metadata.scopes && { scopes_supported: metadata.scopes }),
		bearer_methods_supported: ["header"],
	};
	return jsonAnswer(200, described, readableByAll);
}

function suffixOf(path: string): string | undefined {
	if (path === wellKnownPath || path === `${wellKnownPath}/`) return "";
	return path.startsWith(`${wellKnownPath}/`) ? path.slice(wellKnownPath.length) : undefined;
}

/** The suffix is the endpoint's path, with or without what the front has cut from it. */
function isPathOf({ basePath }: HttpRequestHead, suffix: string, endpointPath: string): boolean {
	return [endpointPath, basePath + endpointPath].map(withoutSlash).includes(withoutSlash(suffix));
}

/** Where a request came to. */
export type Place = Pick<HttpRequestHead, "path" | "basePath" | "ownOrigin">;

/**
 * The URL of the metadata of an endpoint, which is `resource` where its deployer said so. API Gateway serves nothing outside of a
 * stage or a base path: there the well-known part comes behind it.
 */
export function metadataUrl({ path, basePath, ownOrigin }: Place, resource: string | undefined): string | undefined {
	if (resource === undefined) {
		// The path is the client's: as a URL it has no quotes.
		const own = ownOrigin && URL.parse(ownOrigin + basePath + wellKnownPath + suffixFor(path));
		return own ? own.href : undefined;
	}
	const { origin, pathname } = new URL(resource);
	const base = basePath !== "" && pathname.startsWith(`${basePath}/`) ? basePath : "";
	return origin + base + wellKnownPath + suffixFor(pathname.slice(base.length));
}

function suffixFor(path: string): string {
	return path === "/" ? "" : path;
}

/**
 * The URL of an endpoint at a path, as far as the front knows it. Never from a forwarded header: a client that believed it would
 * send its token to another origin.
 */
export function endpointUrl({ ownOrigin, basePath }: HttpRequestHead, path: string): string | undefined {
	if (ownOrigin === undefined) return undefined;
	const hasBase = basePath !== "" && (path === basePath || path.startsWith(`${basePath}/`));
	return ownOrigin + (hasBase ? path : basePath + path);
}
