import { isObject, type JsonRpcRequest, type JsonRpcResponse } from "../jsonrpc.ts";

/** The server's result of `initialize` for a protocol version, or the error that it refuses the version with. */
export type Initialize = (
	protocolVersion: string,
) => Promise<{ readonly result: Record<string, unknown> } | { readonly error: unknown }>;

type Answer = (request: JsonRpcRequest, initialize: Initialize) => Promise<JsonRpcResponse>;

/** The requests that are not forwarded, by method: they are about a connection, which the caller has with the bridge. */
const answers: ReadonlyMap<string, Answer> = new Map<string, Answer>([
	["ping", async ({ id }) => ({ jsonrpc: "2.0", id, result: {} })],
	[
		"initialize",
		async ({ id, params }, initialize) => {
			const protocolVersion = isObject(params) ? params.protocolVersion : undefined;
			if (typeof protocolVersion === "string") {
				return { jsonrpc: "2.0", id, ...(await initialize(protocolVersion)) } as JsonRpcResponse;
			}
			const message = "Invalid params: protocolVersion must be a string";
			return { jsonrpc: "2.0", id, error: { code: -32602, message } };
		},
	],
]);

/** How a request with this method is answered without being forwarded; `undefined` when it is forwarded. */
export function ownAnswer(method: string): Answer | undefined {
	return answers.get(method);
}
