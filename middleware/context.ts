import type { Request } from "@middy/core";
import type { JsonRpcRequest, JsonRpcResponse } from "../src/jsonrpc.ts";

/** What a handler finds on `context.mcp` when the event is MCP's. */
export type McpContext = {
	/** The valid requests of the event; none for a notification or an invalid message. */
	readonly requests: readonly JsonRpcRequest[];
	/**
	 * Forwards a request, one of `requests` or the handler's own, and resolves to its response. Never rejects: what goes
	 * wrong is a JSON-RPC error with `data.code`.
	 *
	 * A request that was forwarded is not forwarded again when the handler returns nothing: its caller gets that response.
	 */
	readonly forward: (request: JsonRpcRequest) => Promise<JsonRpcResponse>;
};

/** Lambda's context as a handler behind the middleware sees it. */
export type McpLambdaContext = Request["context"] & {
	/** `undefined` when the event is not MCP's. */
	mcp?: McpContext | undefined;
};

/** What is used of Lambda's context: tests and other hosts give less of it. */
export type AnyContext = {
	mcp?: McpContext | undefined;
	readonly awsRequestId?: string;
	readonly getRemainingTimeInMillis?: () => number;
	readonly lambdaContext?: { readonly awsRequestId?: string; readonly getRemainingTimeInMillis?: () => number };
};
