import type { RequestId } from "../jsonrpc.ts";

/** A request that the server makes of its client. */
export type ServerRequest = { readonly id: RequestId; readonly method: string; readonly params: unknown };

/** What it is answered with, beside `jsonrpc` and `id`. */
export type ServerRequestAnswer =
	| { readonly result: Readonly<Record<string, unknown>> }
	| { readonly error: { readonly code: number; readonly message: string } };

// https://modelcontextprotocol.io/specification/2025-11-25/basic#responses: a client that offers nothing for it says -32601.
const methodNotFound = -32601;

/** Answers what can be answered without the caller, which is no longer there or was never asked: only `ping`. */
export function answerServerRequest({ method }: ServerRequest): ServerRequestAnswer {
	if (method === "ping") return { result: {} };
	const message = `Method not found: ${method.slice(0, 200)} is not available over this bridge`;
	return { error: { code: methodNotFound, message } };
}
