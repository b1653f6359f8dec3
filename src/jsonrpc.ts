/** A JSON-RPC id as MCP allows it: a string or an integer. `0` and `""` are ids. */
export type RequestId = string | number;

/** A JSON-RPC 2.0 request. Unknown members pass through untouched. */
export type JsonRpcRequest = {
	readonly jsonrpc: "2.0";
	readonly id: RequestId;
	readonly method: string;
	readonly params?: Readonly<Record<string, unknown>>;
	readonly [member: string]: unknown;
};

/** A JSON-RPC 2.0 notification: a message with a method and no id. */
export type JsonRpcNotification = {
	readonly jsonrpc: "2.0";
	readonly method: string;
	readonly params?: Readonly<Record<string, unknown>>;
	readonly [member: string]: unknown;
};

export type JsonRpcResultResponse = {
	readonly jsonrpc: "2.0";
	readonly id: RequestId;
	readonly result: Record<string, unknown>;
};

export type JsonRpcErrorResponse = {
	readonly jsonrpc: "2.0";
	/** `null` when the id of what was received could not be read. */
	readonly id: RequestId | null;
	readonly error: { readonly code: number; readonly message: string; readonly data?: unknown };
};

export type JsonRpcResponse = JsonRpcResultResponse | JsonRpcErrorResponse;

/** What a message from outside turned out to be. */
export type ReceivedMessage =
	| { readonly kind: "request"; readonly request: JsonRpcRequest }
	| { readonly kind: "notification"; readonly notification: JsonRpcNotification }
	| { readonly kind: "invalid"; readonly id: RequestId | null; readonly problem: string };

/**
 * Tells a request from a notification from neither, by the rules of JSON-RPC 2.0 as MCP narrows them
 * (https://modelcontextprotocol.io/specification/2025-11-25/basic#messages): an id is a string or an integer and never
 * null, params is an object.
 */
export function receiveMessage(value: unknown): ReceivedMessage {
	try {
		return readMessage(value);
	} catch {
		// A getter that throws, or a proxy that was revoked.
		return { kind: "invalid", id: null, problem: "the message cannot be read: a member of it throws" };
	}
}

function readMessage(value: unknown): ReceivedMessage {
	if (!isObject(value)) {
		const problem = Array.isArray(value) ? "a batch; send one message at a time" : `${describe(value)}, not an object`;
		return { kind: "invalid", id: null, problem: `the message is ${problem}` };
	}
	const { jsonrpc, id, method, params } = value;
	const readableId = isRequestId(id) ? id : null;
	const invalid = (problem: string): ReceivedMessage => ({ kind: "invalid", id: readableId, problem });
	if (jsonrpc !== "2.0") return invalid(`jsonrpc must be "2.0", not ${describe(jsonrpc)}`);
	if (id !== undefined && readableId === null) return invalid(`id must be a string or an integer, not ${describe(id)}`);
	if (typeof method !== "string") {
		const isResponse = "result" in value || "error" in value;
		return invalid(
			isResponse
				? "the message is a response; only requests and notifications can be sent to a server"
				: `method must be a string, not ${describe(method)}`,
		);
	}
	if (params !== undefined && !isObject(params)) return invalid(`params must be an object, not ${describe(params)}`);
	return id === undefined
		? { kind: "notification", notification: value as JsonRpcNotification }
		: { kind: "request", request: value as JsonRpcRequest };
}

export function isRequestId(value: unknown): value is RequestId {
	return typeof value === "string" || Number.isSafeInteger(value);
}

export function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
	if (value === undefined) return "missing";
	if (value === null) return "null";
	if (Array.isArray(value)) return "an array";
	if (typeof value === "object") return "an object";
	const text = typeof value === "string" ? JSON.stringify(value) : String(value);
	return `the ${typeof value} ${text}`.slice(0, 80);
}
