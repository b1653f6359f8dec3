import { Readable } from "node:stream";
import type { JsonRpcNotification } from "../src/jsonrpc.ts";

/**
 * The result of one invocation in Middy's streaming mode: a line for each JSON-RPC message, as in MCP's stdio transport
 * (https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio).
 */
export type ResultStream = {
	/** Writes a notification, if it is about the request; before `respond` is called it waits. */
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

export function createResultStream(): ResultStream {
	let waiting: string[] = [];
	let onLine: (() => void) | undefined;
	let stream: Readable | undefined;

	const open = (onAbandoned: () => void): Readable => {
		const opened = new Readable({
			read() {},
			destroy(error, callback) {
				if (!opened.readableEnded) onAbandoned();
				callback(error);
			},
		});
		for (const line of waiting) opened.push(line);
		waiting = [];
		return opened;
	};

	return {
		notify: (notification) => {
			if (!aboutRequests.has(notification.method)) return;
			const line = toLine(notification);
			if (stream) {
				if (!stream.destroyed) stream.push(line);
				return;
			}
			waiting.push(line);
			onLine?.();
		},
		respond: async (result, onAbandoned) => {
			const firstLine = new Promise<undefined>((resolve) => {
				onLine = () => resolve(undefined);
			});
			if (waiting.length === 0) {
				const first = await Promise.race([result.then((value) => ({ value })), firstLine]);
				if (first && waiting.length === 0) return toLine(first.value);
			}
			const opened = open(onAbandoned);
			stream = opened;
			result.then(
				(value) => {
					if (opened.destroyed) return;
					opened.push(toLine(value));
					opened.push(null);
				},
				(error: Error) => opened.destroy(error),
			);
			return opened;
		},
	};
}

/** A JSON-RPC message as a line. `{}`, which answers a notification, is none: clients compare the whole payload with it. */
export function toLine(message: unknown): string {
	const json = JSON.stringify(message);
	return json === "{}" ? json : `${json}\n`;
}
