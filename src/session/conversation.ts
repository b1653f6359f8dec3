import type { IncomingMessage } from "../child/incoming.ts";
import { toLine } from "../child/ndjson.ts";
import type { Writer } from "../child/writer.ts";
import type { Interruption } from "../deadline.ts";
import type { McpStdioError, McpStdioErrorCode } from "../errors.ts";
import type { JsonRpcNotification, JsonRpcRequest, JsonRpcResponse } from "../jsonrpc.ts";
import type { Observer } from "../observer.ts";
import { createAnswers } from "./answers.ts";
import { createNotifications } from "./notifications.ts";
import { progressToken, toOutgoingLine } from "./outgoing.ts";
import type { ServerRequest, ServerRequestAnswer } from "./server-requests.ts";
import { createSpoiltAnswers, type SpoiltAnswers } from "./spoilt-answers.ts";
import { createWaitingRequests, type WaitingRequests } from "./waiting.ts";

/** One request on its way through a conversation. */
export type ConversationRequest = {
	readonly request: JsonRpcRequest;
	/** Fires with an `Interruption` when the caller stops waiting. */
	readonly signal?: AbortSignal | undefined;
	readonly onNotification?: ((notification: JsonRpcNotification) => void) | undefined;
	readonly observer?: Observer | undefined;
	/** Given back with events about this request. */
	readonly correlation?: unknown;
};

/** JSON-RPC with one child: which answer and which notification belongs to which request. */
export type Conversation = SpoiltAnswers &
	Pick<WaitingRequests, "failAll"> & {
		/** Sends a request; resolves to the server's own response with the caller's id. */
		readonly request: (request: ConversationRequest) => Promise<JsonRpcResponse>;
		/** Asks the server for a sign of life, apart from all requests. */
		readonly ping: () => { readonly answered: Promise<void>; readonly forget: () => void };
		readonly notify: (method: string, params?: Record<string, unknown>) => void;
		readonly receive: (message: IncomingMessage) => void;
		/** Whether something was given up since the last ping. */
		readonly needsPing: () => boolean;
		/** The requests that wait for an answer. */
		readonly waiting: () => readonly ConversationRequest[];
	};

export type ConversationOptions = {
	readonly writer: Writer;
	readonly maxMessageBytes: number;
	/** Builds the error for something that went wrong with the server. */
	readonly failure: (code: McpStdioErrorCode, what: string, details?: readonly string[]) => McpStdioError;
	readonly onNoise: (problem: string, text: string) => void;
	/** The server has answered a request, or delivered a notification to its caller. */
	readonly onUseful: (kind: "answer" | "notification") => void;
	/** What a request of the server's own is answered with. */
	readonly onServerRequest: (request: ServerRequest) => ServerRequestAnswer;
	/** A caller stopped waiting for the request with this id; `sent` tells whether the server may have read it. */
	readonly onInterrupted: (id: number, sent: boolean) => void;
	/** A write found the pipe broken. */
	readonly onBrokenPipe: () => void;
	/** The server broke off in a way that no single request can be blamed for. */
	readonly onUnusable: (error: McpStdioError) => void;
};

export function createConversation(options: ConversationOptions): Conversation {
	const { writer, failure, onNoise } = options;
	const waiting = createWaitingRequests();
	const notifications = createNotifications(waiting.byId, onNoise);
	const answers = createAnswers(waiting, notifications, (id) => id <= lastId, options);
	let lastId = 0;

	function nextId(): number {
		lastId += 1;
		return lastId;
	}

	function send(message: object): void {
		writer.write(toLine(JSON.stringify(message)));
	}

	function answer(request: ServerRequest): void {
		// A server that asks without end, and does not read, is not answered without end.
		if (writer.isBackedUp()) onNoise("more requests than it reads answers", request.method);
		else send({ jsonrpc: "2.0", id: request.id, ...options.onServerRequest(request) });
	}

	function interrupt(id: number, method: string, { code, limitMs, cause }: Interruption): void {
		const request = waiting.take(id);
		if (!request) return;
		const what =
			code === "TIMEOUT"
				? `did not answer ${method} within ${Math.max(0, Math.round(limitMs))} ms; allow more time or look at what it waits for`
				: `was still working on ${method} when the caller aborted`;
		request.reject(failure(code, what).with({}, cause));
		const sent = request.write !== undefined && !writer.withdraw(request.write);
		if (sent) notifications.gaveUp(id);
		options.onInterrupted(id, sent);
	}

	return {
		...createSpoiltAnswers(waiting, options),
		request(call) {
			const { request, signal } = call;
			const id = nextId();
			const callerToken = progressToken(request);
			let text: string;
			try {
				text = toOutgoingLine(request, id, callerToken);
			} catch (error) {
				return Promise.reject(error);
			}
			const onAbort = (): void => interrupt(id, request.method, signal?.reason);
			const response = waiting.add(id, { ...call, callerToken }, onAbort);
			const added = waiting.byId.get(id);
			if (added) added.write = writer.write(text, options.onBrokenPipe);
			return response;
		},
		ping() {
			const id = nextId();
			// What was cancelled before is read before: with the answer, it is over.
			const isOver = notifications.mark();
			const pong = Promise.withResolvers<void>();
			const forget = answers.onPong(id, pong.resolve);
			send({ jsonrpc: "2.0", id, method: "ping" });
			return { answered: pong.promise.then(isOver), forget };
		},
		notify(method, params) {
			answers.notified();
			send(params ? { jsonrpc: "2.0", method, params } : { jsonrpc: "2.0", method });
		},
		receive(message) {
			if (message.kind === "response") answers.receive(message);
			else if (message.kind === "request") answer(message);
			else if (notifications.receive(message.notification)) options.onUseful("notification");
		},
		needsPing: notifications.needsMark,
		failAll: waiting.failAll,
		waiting: () => [...waiting.byId.values()],
	};
}
