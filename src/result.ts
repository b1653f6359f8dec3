import { Readable } from "node:stream";
import type { Reply, StreamedReply } from "./events/event.ts";
import type { JsonRpcNotification, JsonRpcResponse } from "./jsonrpc.ts";

/** How a result comes about: at the end as a whole, or as a stream from the first notification on. */
export type Result = {
	/** Told of the server's notifications; `undefined` where the source has no use for them. */
	readonly notify: ((notification: JsonRpcNotification) => void) | undefined;
	/**
	 * Makes the result. `onAbandoned` is called when a stream is closed before it has ended: its reader has gone.
	 * Rejects, or fails the stream, if `responses` rejects.
	 */
	readonly respond: (responses: Promise<readonly JsonRpcResponse[]>, onAbandoned: () => void) => Promise<unknown>;
	/** Whether `respond` has given a stream that goes on. */
	readonly isStreaming: () => boolean;
};

// The others are about a connection that stays, which a function's caller does not have: who lists anew when told that a
// list has changed would be told so again by the next process.
const aboutRequests: ReadonlySet<string> = new Set(["notifications/progress", "notifications/message"]);

// A server that writes faster than its caller reads must not take the memory that the result needs.
const maxUnreadBytes = (Math.max(128, Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE) || 0) / 8) * 1024 * 1024;

function droppedNotice(count: number): JsonRpcNotification {
	const data = `${count} notifications were dropped: the server wrote them faster than they were read`;
	return { jsonrpc: "2.0", method: "notifications/message", params: { level: "warning", data } };
}

/** The result as a whole, with the notifications in front of it where its source can carry them. */
export function createWholeResult({ result, takesNotifications, limitBytes }: Reply): Result {
	const notifications: JsonRpcNotification[] = [];
	let bytes = 0;
	let dropped = 0;
	// Half of what the result may have is left to the response.
	const mostBytes = Math.min(maxUnreadBytes, limitBytes / 4);

	function notify(notification: JsonRpcNotification): void {
		if (!aboutRequests.has(notification.method)) return;
		bytes += JSON.stringify(notification).length;
		if (bytes > mostBytes) dropped += 1;
		else notifications.push(notification);
	}

	return {
		notify: takesNotifications ? notify : undefined,
		respond: async (responses) => {
			const answered = await responses;
			if (notifications.length === 0) return result(answered, []);
			const whole = result(answered, dropped === 0 ? notifications : [...notifications, droppedNotice(dropped)]);
			// A response that fits by itself is not lost for what came before it.
			const fits = Buffer.byteLength(JSON.stringify(whole)) <= limitBytes;
			return fits ? whole : result(answered, [droppedNotice(notifications.length + dropped)]);
		},
		isStreaming: () => false,
	};
}

/**
 * The result as it comes. When the responses come before any notification it is a whole, so that everything else
 * waits for it; otherwise a stream of the notifications, as they come, and then the responses. A notification that comes after
 * the responses is dropped, and so is one that comes while more than an eighth of the function's memory waits to be read: then
 * a log message says how many were. For a source that reads nothing but the whole it is that, and notifications are not asked for.
 */
export function createStreamedResult({ whole, streaming, frame: framing, keepAlive }: StreamedReply): Result {
	if (!framing) {
		return { notify: undefined, respond: async (responses) => whole(await responses), isStreaming: () => false };
	}
	const frame = framing;
	let isOver = false;
	let isStreaming = false;
	let dropped = 0;
	let abandon = (): void => {};
	let onFrame = (): void => {};
	const stream = new Readable({
		read() {},
		destroy(error, callback) {
			clearInterval(timer);
			if (!stream.readableEnded) abandon();
			callback(error);
		},
	});
	const timer = keepAlive && setInterval(beAlive, keepAlive.everyMs).unref();

	/** Also before anything else was written: the head goes out with it, and the connection stays open. */
	function beAlive(): void {
		if (isOver || stream.destroyed || stream.readableLength > 0) return;
		stream.push(keepAlive?.text);
		onFrame();
	}

	function tellDropped(): void {
		if (dropped > 0) stream.push(frame(droppedNotice(dropped)));
		dropped = 0;
	}

	function finish(responses: readonly JsonRpcResponse[]): void {
		isOver = true;
		clearInterval(timer);
		if (stream.destroyed) return;
		tellDropped();
		for (const response of responses) stream.push(frame(response));
		stream.push(null);
	}

	return {
		notify: (notification) => {
			if (isOver || stream.destroyed || !aboutRequests.has(notification.method)) return;
			if (stream.readableLength > maxUnreadBytes) {
				dropped += 1;
				return;
			}
			tellDropped();
			stream.push(frame(notification));
			onFrame();
		},
		respond: async (responses, onAbandoned) => {
			const firstFrame = new Promise<undefined>((resolve) => {
				onFrame = () => resolve(undefined);
			});
			if (stream.readableLength === 0) {
				const first = await Promise.race([responses, firstFrame]);
				if (first && stream.readableLength === 0) {
					isOver = true;
					clearInterval(timer);
					return whole(first);
				}
			}
			abandon = onAbandoned;
			isStreaming = true;
			responses.then(finish, (error: Error) => stream.destroy(error));
			return streaming(stream);
		},
		isStreaming: () => isStreaming,
	};
}
