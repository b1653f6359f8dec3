import { Readable } from "node:stream";
import type { JsonRpcNotification } from "../src/jsonrpc.ts";

/**
 * The result of one invocation in Middy's streaming mode: a line for each JSON-RPC message, as in MCP's stdio transport
 * (https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio).
 */
export type ResultStream = {
	/**
	 * Writes a notification, if it is about the request; before `respond` is called it waits. One that comes after the result
	 * is dropped, and so is one that comes while more than an eighth of the function's memory waits to be read: then a log
	 * message says how many were.
	 */
	readonly notify: (notification: JsonRpcNotification) => void;
	/**
	 * Makes what Middy writes: text, when the result comes before any notification, so that everything else waits for it;
	 * otherwise a stream of the notifications, as they come, and then the result. The stream fails if `result` rejects;
	 * `onAbandoned` is called when it is closed before it has ended.
	 */
	readonly respond: (result: Promise<unknown>, onAbandoned: () => void) => Promise<string | Readable>;
};

// The others are about a connection that stays, which a function's caller does not have: who lists anew when told that a
// list has changed would be told so again by the next process.
const aboutRequests: ReadonlySet<string> = new Set(["notifications/progress", "notifications/message"]);

// A server that writes faster than its caller reads must not take the memory that the result needs.
const maxUnreadBytes = (Math.max(128, Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE) || 0) / 8) * 1024 * 1024;

export function createResultStream(): ResultStream {
	let isOver = false;
	let dropped = 0;
	let abandon = (): void => {};
	let onLine = (): void => {};
	const stream = new Readable({
		read() {},
		destroy(error, callback) {
			if (!stream.readableEnded) abandon();
			callback(error);
		},
	});

	const tellDropped = (): void => {
		if (dropped === 0) return;
		const data = `${dropped} notifications were dropped: the server wrote them faster than they were read`;
		stream.push(toLine({ jsonrpc: "2.0", method: "notifications/message", params: { level: "warning", data } }));
		dropped = 0;
	};

	return {
		notify: (notification) => {
			if (isOver || stream.destroyed || !aboutRequests.has(notification.method)) return;
			if (stream.readableLength > maxUnreadBytes) {
				dropped += 1;
				return;
			}
			tellDropped();
			stream.push(toLine(notification));
			onLine();
		},
		respond: async (result, onAbandoned) => {
			const firstLine = new Promise<undefined>((resolve) => {
				onLine = () => resolve(undefined);
			});
			if (stream.readableLength === 0) {
				const first = await Promise.race([result.then((value) => ({ value })), firstLine]);
				if (first && stream.readableLength === 0) {
					isOver = true;
					return toLine(first.value);
				}
			}
			abandon = onAbandoned;
			result.then(
				(value) => {
					isOver = true;
					if (stream.destroyed) return;
					tellDropped();
					stream.push(toLine(value));
					stream.push(null);
				},
				(error: Error) => stream.destroy(error),
			);
			return stream;
		},
	};
}

/** A JSON-RPC message as a line. `{}`, which answers a notification, is none: clients compare the whole payload with it. */
export function toLine(message: unknown): string {
	const json = JSON.stringify(message);
	return json === "{}" ? json : `${json}\n`;
}
