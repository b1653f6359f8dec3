import { type HttpAnswer, type HttpRequestHead, refuse } from "./message.ts";

/** Which web pages, and which host names, a request may come from and to. */
export type OriginRules = {
	readonly allowedOrigins: readonly string[];
	readonly allowedHosts: readonly string[] | undefined;
};

const loopbackNames: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Refuses what a web page of a foreign origin sends, which is how DNS rebinding reaches a server:
 * https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#security-warning
 *
 * A request without `Origin` comes from no page. The front's own origin passes, pages of this machine do, and what
 * `allowedOrigins` lists; `null` is an origin like any other. The `Host` header proves nothing, so an origin that
 * equals it is still foreign.
 */
export function refuseForeign(request: HttpRequestHead, rules: OriginRules): HttpAnswer | undefined {
	const host = request.header("host");
	if (rules.allowedHosts && !(host !== undefined && listsHost(rules.allowedHosts, host))) {
		return refuse(403, `Forbidden: the host ${quote(host)} is not one of allowedHosts`);
	}
	const origin = request.header("origin");
	if (origin === undefined || isOwn(origin, request, rules) || rules.allowedOrigins.includes(origin)) return undefined;
	return refuse(403, `Forbidden: the origin ${quote(origin)} is not one of allowedOrigins`);
}

function isOwn(origin: string, { ownOrigin, header }: HttpRequestHead, { allowedHosts }: OriginRules): boolean {
	const url = parseOrigin(origin);
	if (!url) return false;
	if (ownOrigin !== undefined && url.origin === ownOrigin) return true;
	// A host name that the deployer listed is the deployer's: a page from there is the endpoint's own.
	return loopbackNames.has(url.hostname) || (allowedHosts !== undefined && url.host === header("host")?.toLowerCase());
}

/** Only what a browser sends: scheme, host and port, and nothing behind. */
function parseOrigin(origin: string): URL | undefined {
	const url = /^https?:\/\/[^/]+$/i.test(origin) ? URL.parse(origin) : null;
	return url && url.origin !== "null" && url.username === "" ? url : undefined;
}

function listsHost(hosts: readonly string[], host: string): boolean {
	const name = host.toLowerCase();
	return hosts.some((allowed) => {
		const wanted = allowed.toLowerCase();
		return wanted === name || wanted === name.replace(/:\d{1,5}$/, "");
	});
}

function quote(value: string | undefined): string {
	return value === undefined ? "(none)" : JSON.stringify(value.slice(0, 100));
}
