import { readHttpEvent } from "../src/events/index.ts";
import { refuse } from "../src/http/message.ts";
import { metadataUrl } from "../src/http/resource-metadata.ts";
import { isText, listOfTexts, type OptionRules, oneOf, validateOptions } from "../src/validate.ts";

export type BearerChallenge = {
	/**
	 * What is wrong with the token; `"insufficient_scope"` makes the status 403, anything else 401.
	 *
	 * @default none, for a request without a token
	 */
	readonly error?: "invalid_request" | "invalid_token" | "insufficient_scope" | undefined;
	/** The scopes that the request needs. @default none is named */
	readonly scopes?: readonly string[] | undefined;
	/**
	 * The URL of the endpoint's metadata.
	 *
	 * @default the front's own origin, `/.well-known/oauth-protected-resource` and the path that was asked for
	 */
	readonly resourceMetadata?: string | undefined;
};

const rules: OptionRules<BearerChallenge> = {
	error: oneOf("invalid_request", "invalid_token", "insufficient_scope"),
	scopes: listOfTexts,
	resourceMetadata: { expected: "a URL", accepts: (value) => isText(value) && URL.canParse(value) },
};

/**
 * The answer to an HTTP request that has no token, or not the right one: 401 or 403, with `WWW-Authenticate` for OAuth
 * clients (RFC 6750, RFC 9728). To be returned by a handler or a middleware, for any front.
 *
 * REST APIs and Function URLs rename that header on its way to the client: see docs/authorization.md.
 *
 * Throws a TypeError for wrong options, and for an event that is no HTTP request.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/authorization
 */
export function bearerChallenge(event: unknown, options: BearerChallenge = {}): unknown {
	validateOptions("options", options, rules);
	const http = readHttpEvent(event);
	if (!http) throw new TypeError("bearerChallenge answers HTTP requests; this event is none");
	const { error, scopes } = options;
	const resource_metadata = options.resourceMetadata ?? metadataUrl(http.request, undefined);
	const parameters = { resource_metadata, error, scope: scopes?.join(" ") };
	const written = Object.entries(parameters).flatMap(([name, value]) =>
		value === undefined ? [] : [`${name}="${value.replaceAll(/["\\\r\n]/g, "")}"`],
	);
	const status = error === "insufficient_scope" ? 403 : 401;
	const what =
		status === 403 ? "Forbidden: the token does not have the scope" : "Unauthorized: a valid token is needed";
	const headers = { "www-authenticate": `Bearer ${written.join(", ")}`.trim() };
	return http.result(refuse(status, what, { headers }));
}
