import { type HttpAnswer, type HttpRequestHead, jsonAnswer, refuse } from "./message.ts";
import type { ResourceMetadata } from "./options.ts";

// https://www.rfc-editor.org/rfc/rfc9728#section-3.1: the path of the resource comes behind the well-known part.
export const wellKnownPath = "/.well-known/oauth-protected-resource";

// Clients in a browser ask from any page, with a header of MCP's that takes a preflight.
const readableByAll = {
	"access-control-allow-origin": "*",
	"access-control-allow-methods": "GET, HEAD, OPTIONS",
	"access-control-allow-headers": "*",
};

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
	if (method === "OPTIONS") return { status: 204, headers: readableByAll, body: "" };
	if (method !== "GET" && method !== "HEAD") {
		return refuse(405, "Method not allowed: the metadata is read with GET", {
			headers: { allow: "GET, HEAD, OPTIONS" },
		});
	}
	const resource = metadata.resource ?? resourceOf(request, suffix === "" ? (endpointPath ?? "") : suffix);
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
	return suffix === endpointPath || suffix === basePath + endpointPath;
}

/** Never from a forwarded header: a client that believed it would send its token to another origin. */
function resourceOf({ ownOrigin, basePath }: HttpRequestHead, path: string): string | undefined {
	if (ownOrigin === undefined) return undefined;
	const hasBase = basePath !== "" && (path === basePath || path.startsWith(`${basePath}/`));
	return ownOrigin + (hasBase ? path : basePath + path);
}
