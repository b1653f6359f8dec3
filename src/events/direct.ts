import { isObject, type JsonRpcResponse, type ReceivedMessage, receiveMessage } from "../jsonrpc.ts";

/** What an event brought, and how whoever sent it is answered. */
export type DecodedEvent = {
	readonly messages: readonly ReceivedMessage[];
	/** Makes the function's result of one response for each message that is no notification, in their order. */
	readonly encode: (responses: readonly JsonRpcResponse[]) => unknown;
};

// `{}` answers a notification: a function always returns something.
const encode: DecodedEvent["encode"] = ([response]) => response ?? {};

/** A direct invocation: the event is the JSON-RPC message, the result its response. `undefined` for any other event. */
export function decodeDirect(event: unknown): DecodedEvent | undefined {
	return isAddressed(event) ? { messages: [receiveMessage(event)], encode } : undefined;
}

/** Reads an event that nobody has recognised or handled as an invalid message, so that its sender is told. */
export function decodeUnhandled(event: unknown): DecodedEvent {
	const message = receiveMessage(event);
	if (message.kind !== "invalid") return { messages: [message], encode };
	const problem = `${message.problem}, and no handler answered the event`;
	return { messages: [{ ...message, problem }], encode };
}

/** Whether an event means to be JSON-RPC, even if it is no valid message. A batch is recognised, to be refused. */
function isAddressed(event: unknown): boolean {
	return Array.isArray(event) ? event.some(isAddressed) : isObject(event) && "jsonrpc" in event;
}
