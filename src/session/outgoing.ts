import { toLine } from "../child/ndjson.ts";
import { McpStdioError } from "../errors.ts";
import { isObject, type JsonRpcRequest } from "../jsonrpc.ts";

/** The progress token that a caller gave with a request. */
export function progressToken({ params }: JsonRpcRequest): string | number | undefined {
	const meta = params?._meta;
	const token = isObject(meta) ? meta.progressToken : undefined;
	return typeof token === "string" || typeof token === "number" ? token : undefined;
}

/**
 * A request as the server reads it. Its id and its progress token are the conversation's own, so that callers cannot collide.
 * Throws INVALID_JSON.
 */
export function toOutgoingLine(request: JsonRpcRequest, id: number, callerToken: unknown): string {
	try {
		return toLine(JSON.stringify(outgoingRequest(request, id, callerToken)));
	} catch (cause) {
		const what = "Invalid request: it cannot be written as JSON";
		throw new McpStdioError("INVALID_JSON", what, { data: { phase: "validate" }, cause });
	}
}

function outgoingRequest(request: JsonRpcRequest, id: number, callerToken: unknown): JsonRpcRequest {
	if (callerToken === undefined) return { ...request, id };
	const meta = request.params?._meta as Record<string, unknown>;
	return { ...request, id, params: { ...request.params, _meta: { ...meta, progressToken: id } } };
}
