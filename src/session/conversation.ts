import { startAwakeTimer } from "../child/awake-timer.ts";
import type { IncomingMessage } from "../child/incoming.ts";
import { toLine } from "../child/ndjson.ts";
import type { PendingWrite, Writer } from "../child/writer.ts";
import type { Interruption } from "../deadline.ts";
import { McpStdioError, type McpStdioErrorCode } from "../errors.ts";
import { isObject, type JsonRpcNotification, type JsonRpcRequest, type JsonRpcResponse } from "../jsonrpc.ts";
import type { Observer } from "../observer.ts";
import { type Addressee, createNotifications, ownNumber } from "./notifications.ts";
import type { ServerRequest, ServerRequestAnswer } from "./server-requests.ts";

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
export type Conversation = {
	/** Sends a request; resolves to the server's own response with the caller's id. */
	readonly request: (request: ConversationRequest) => Promise<JsonRpcResponse>;
	/** Asks the server for a sign of life, apart from all requests. */
	readonly ping: () => { readonly answered: Promise<void>; readonly forget: () => void };
	readonly notify: (method: string, params?: Record<string, unknown>) => void;
	readonly receive: (message: IncomingMessage) => void;
	/** Something came that looks like the answer to a request of ours, and cannot be read. */
	readonly receiveUnreadable: (id: number, text: string) => void;
	/** A message over the cap: told when it passes the cap, and with `ended` when it has ended. */
	readonly receiveOverlong: (id: number | undefined, ended: boolean, text: string) => void;
	/** Whether something was given up since the last ping. */
	readonly needsPing: () => boolean;
	/** Fails every request that waits, each with an error of its own. */
	readonly failAll: (error: McpStdioError) => void;
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

type IncomingResponse = Extract<IncomingMessage, { kind: "response" }>;

const methodNotFound = -32601;

/** How long the answer of a request is waited for after an error without an id that may be about something else. */
const complaintGraceMs = 250;

type Waiting = Addressee & {
	readonly resolve: (response: JsonRpcResponse) => void;
	readonly reject: (error: McpStdioError) => void;
	write: PendingWrite | undefined;
};

/** A shorter response fits into the answer of every source, however it is written there. */
const largeLength = 128 * 1024;
const large = new WeakSet<object>();

/** Whether a server's response is so long that its size has to be looked at where there is a limit. */
export function isLarge(response: JsonRpcResponse): boolean {
	return large.has(response);
}

const undelivered = new WeakSet<Error>();

/** Whether a request provably never reached its server, so that giving it to another process cannot run it twice. */
export function wasUndelivered(error: McpStdioError): boolean {
	return undelivered.has(error);
}

/** The same failure, marked as one of a request that never reached its server. */
export function asUndelivered(error: McpStdioError): McpStdioError {
	undelivered.add(error);
	return error;
}

export function createConversation(options: ConversationOptions): Conversation {
	const { writer, failure, onNoise } = options;
	const waiting = new Map<number, Waiting>();
	const pings = new Map<number, () => void>();
	const notifications = createNotifications(waiting, onNoise);
	let lastId = 0;
	/** Whether the overlong message that is being read has been dealt with. */
	let overlongSettled = false;
	let notified = 0;
	let complaints = 0;

	function send(message: object): void {
		writer.write(toLine(JSON.stringify(message)));
	}

	function take(id: number): Waiting | undefined {
		const request = waiting.get(id);
		waiting.delete(id);
		return request;
	}

	function onlyId(): number | undefined {
		return waiting.size === 1 ? waiting.keys().next().value : undefined;
	}

	function answer(request: ServerRequest): void {
		// A server that asks without end, and does not read, is not answered without end.
		if (writer.isBackedUp()) onNoise("more requests than it reads answers", request.method);
		else send({ jsonrpc: "2.0", id: request.id, ...options.onServerRequest(request) });
	}

	/** A server that could not read an id answers null: it can only mean the one request that it has. */
	function idOf(id: unknown, response: Record<string, unknown>): number | undefined {
		if (id !== null) return ownNumber(id);
		return isObject(response.error) && !notifications.isUncertain() ? onlyId() : undefined;
	}

	/**
	 * Servers that know no notifications complain about each with this code, and with null for the id that it has not. So it is
	 * held back: from then on until the answer comes, or until there is none after a while.
	 */
	function isComplaint({ id, response }: IncomingResponse): boolean {
		return id === null && isObject(response.error) && response.error.code === methodNotFound;
	}

	function receiveComplaint(message: IncomingResponse): void {
		const id = idOf(null, message.response);
		if (complaints < notified || id === undefined) {
			complaints += 1;
			onNoise("a complaint about a notification", textOf(message.response));
			return;
		}
		startAwakeTimer(complaintGraceMs, () => {
			if (waiting.has(id)) receiveResponse({ ...message, id });
		});
	}

	function receiveResponse({ id, response, writable, length }: IncomingResponse): void {
		const ownId = idOf(id, response);
		const ping = ownId === undefined ? undefined : pings.get(ownId);
		if (ownId !== undefined && ping) {
			pings.delete(ownId);
			ping();
			return;
		}
		const request = ownId === undefined ? undefined : take(ownId);
		if (!request) {
			const isLate = ownId !== undefined && ownId <= lastId;
			if (isLate) notifications.settled(ownId);
			onNoise(isLate ? "a late or second answer" : "an answer to a request that was never made", textOf(response));
			return;
		}
		options.onUseful("answer");
		const problem = writable ? problemOf(response) : "with more nesting than can be passed on";
		if (problem !== undefined) {
			request.reject(failure("INVALID_ANSWER", `answered ${problem}`));
			return;
		}
		response.jsonrpc = "2.0";
		response.id = request.request.id;
		if (length > largeLength) large.add(response);
		request.resolve(response as JsonRpcResponse);
	}

	function interrupt(id: number, method: string, { code, limitMs, cause }: Interruption): void {
		const request = take(id);
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
		request({ request, signal, onNotification, observer, correlation }) {
			lastId += 1;
			const id = lastId;
			const callerToken = progressToken(request);
			let text: string;
			try {
				text = toLine(JSON.stringify(outgoingRequest(request, id, callerToken)));
			} catch (cause) {
				const what = "Invalid request: it cannot be written as JSON";
				return Promise.reject(new McpStdioError("INVALID_JSON", what, { data: { phase: "validate" }, cause }));
			}
			return new Promise((resolve, reject) => {
				const onAbort = (): void => interrupt(id, request.method, signal?.reason);
				const entry: Waiting = {
					request,
					signal,
					onNotification,
					observer,
					correlation,
					callerToken,
					write: undefined,
					resolve: (response) => {
						signal?.removeEventListener("abort", onAbort);
						resolve(response);
					},
					reject: (error) => {
						signal?.removeEventListener("abort", onAbort);
						reject(error);
					},
				};
				waiting.set(id, entry);
				if (signal?.aborted) {
					onAbort();
					return;
				}
				signal?.addEventListener("abort", onAbort, { once: true });
				entry.write = writer.write(text, options.onBrokenPipe);
			});
		},
		ping() {
			lastId += 1;
			const id = lastId;
			// What was cancelled before is read before: with the answer, it is over.
			const isOver = notifications.mark();
			const answered = new Promise<void>((resolve) => pings.set(id, resolve)).then(isOver);
			send({ jsonrpc: "2.0", id, method: "ping" });
			return { answered, forget: () => pings.delete(id) };
		},
		notify(method, params) {
			notified += 1;
			send(params ? { jsonrpc: "2.0", method, params } : { jsonrpc: "2.0", method });
		},
		receive(message) {
			if (message.kind === "response") (isComplaint(message) ? receiveComplaint : receiveResponse)(message);
			else if (message.kind === "request") answer(message);
			else if (notifications.receive(message.notification)) options.onUseful("notification");
		},
		receiveUnreadable(id, text) {
			const what = "answered with what is not JSON";
			const details = [`It wrote: ${JSON.stringify(text.slice(0, 200))}`];
			take(id)?.reject(failure("INVALID_ANSWER", what, details));
		},
		receiveOverlong(named, ended, text) {
			if (ended && overlongSettled) {
				overlongSettled = false;
				return;
			}
			const what = `wrote a line of more than ${options.maxMessageBytes} bytes; raise params.maxMessageBytes or ask for less`;
			const error = failure("MESSAGE_TOO_LARGE", what);
			const id = named ?? (ended ? undefined : onlyId());
			if (id !== undefined) {
				const request = take(id);
				if (request) request.reject(error);
				else onNoise("an overlong answer that no request waits for", text);
			} else if (ended && waiting.size > 0) {
				// Which of several requests it answers cannot be told: none of them may wait for ever.
				options.onUnusable(error);
			}
			overlongSettled = !ended && (id !== undefined || waiting.size === 0);
		},
		needsPing: notifications.needsMark,
		failAll(error) {
			const failed = [...waiting.values()];
			waiting.clear();
			for (const { write, reject } of failed) {
				const own = error.with({});
				reject(write?.state === "queued" || write?.state === "failed" ? asUndelivered(own) : own);
			}
		},
		waiting: () => [...waiting.values()],
	};
}

/**
 * What is wrong with a response; `undefined` when nothing is. Members that are null beside the one that counts are left out:
 * serialisers of some languages write every member, and clients take both for neither.
 */
function problemOf(response: Record<string, unknown>): string | undefined {
	if ("result" in response && response.error === null) delete response.error;
	if (isObject(response.error) && response.result === null) delete response.result;
	if (response.method === null) delete response.method;
	if ("error" in response) return isObject(response.error) ? undefined : "with an error that is no object";
	return "result" in response ? undefined : "with neither a result nor an error";
}

function textOf(message: object): string {
	try {
		return JSON.stringify(message);
	} catch {
		return "(too deeply nested to show)";
	}
}

function progressToken({ params }: JsonRpcRequest): string | number | undefined {
	const meta = params?._meta;
	const token = isObject(meta) ? meta.progressToken : undefined;
	return typeof token === "string" || typeof token === "number" ? token : undefined;
}

/** Ids and progress tokens are the conversation's own towards the server, so that callers cannot collide. */
function outgoingRequest(request: JsonRpcRequest, id: number, callerToken: unknown): JsonRpcRequest {
	if (callerToken === undefined) return { ...request, id };
	const meta = request.params?._meta as Record<string, unknown>;
	return { ...request, id, params: { ...request.params, _meta: { ...meta, progressToken: id } } };
}
