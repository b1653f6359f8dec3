import { isObject, type JsonRpcResponse } from "../jsonrpc.ts";
import { legacyVersions } from "../protocol/revisions.ts";

/** How a session comes to be ready: what is said before the first request. Resolves to the server's own result. */
export type Handshake = (channel: HandshakeChannel) => Promise<Record<string, unknown>>;

/** What a handshake needs of the session. */
type HandshakeChannel = {
	readonly request: (method: string, params: Readonly<Record<string, unknown>>) => Promise<JsonRpcResponse>;
	readonly notify: (method: string) => void;
	/** The server does not take the version that it was asked for, and is asked for this one from now on. */
	readonly insteadAsk: (version: string) => void;
	/** The failure of a handshake that the server answered with an error. */
	readonly refused: (error: unknown) => Error;
	/** The failure of a handshake that the server answered with what is none. */
	readonly failed: (what: string) => Error;
};

const clientInfo = { name: "mcp-stdio-lambda", version: "0.1.0" };

/** A server that refuses one version after the other is asked no more often than there are versions. */
const mostAttempts = legacyVersions.length;

/**
 * `initialize`, by which a session of the legacy era begins. A server should answer an unknown version with one of its own
 * (https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle#version-negotiation); some refuse it with an error
 * instead, and are then asked for what they say they support, if `mayAskAgain`: a caller that asks for a version of its own
 * gets the refusal.
 */
export function initializeWith(protocolVersion: string, mayAskAgain = true): Handshake {
	return async ({ request, notify, insteadAsk, refused, failed }) => {
		const tried = new Set<string>();
		let refusal: unknown;
		for (let version = protocolVersion; ; ) {
			tried.add(version);
			const response = await request("initialize", { protocolVersion: version, capabilities: {}, clientInfo });
			if ("error" in response) {
				const next = mayAskAgain && tried.size < mostAttempts ? supportedVersion(response.error, tried) : undefined;
				refusal ??= response.error;
				if (next === undefined) throw refused(refusal);
				// Told before it is tried: a server may exit after its refusal.
				insteadAsk(next);
				version = next;
				continue;
			}
			const { result } = response;
			if (!isObject(result) || typeof result.protocolVersion !== "string") {
				throw failed("answered initialize without a protocolVersion; is it an MCP server?");
			}
			notify("notifications/initialized");
			return result;
		}
	};
}

/**
 * The newest version that a refusal says is supported and that has not been tried; `undefined` when the error is not about
 * the version. Where it is, and names none, the versions that there are are tried from the newest on.
 */
export function supportedVersion(error: unknown, tried: ReadonlySet<string>): string | undefined {
	if (!isObject(error)) return undefined;
	const { message, data } = error;
	const text = typeof message === "string" ? message.slice(0, 1000) : "";
	const listed = isObject(data) ? (data.supported ?? data.supportedVersions ?? data.supported_versions) : undefined;
	const named = [...(Array.isArray(listed) ? listed : [listed]), ...(text.match(/\b\d{4}-\d\d-\d\d\b/g) ?? [])];
	const untried = (version: unknown): version is string => typeof version === "string" && !tried.has(version);
	const known = legacyVersions.find((version) => named.includes(version) && untried(version));
	if (known !== undefined) return known;
	if (!/version/i.test(text) && listed === undefined) return undefined;
	const others = named.filter(untried).filter((version) => /^\d{4}-\d\d-\d\d$/.test(version));
	return others.toSorted().at(-1) ?? legacyVersions.find(untried);
}
