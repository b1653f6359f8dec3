import { startAwakeTimer } from "../child/awake-timer.ts";
import type { PendingWrite, Writer } from "../child/writer.ts";
import type { Interruption } from "../deadline.ts";
import { McpStdioError, type McpStdioErrorCode } from "../errors.ts";
import { isObject, type JsonRpcNotification, type JsonRpcRequest, type JsonRpcResponse } from "../jsonrpc.ts";
import type { Observer } from "../observer.ts";
import { type IncomingMessage, parseLine, requestIdOfOverlongLine } from "./incoming.ts";

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

/** JSON-RPC over the pipes of one child: which answer and which notification belongs to which request. */
export type Conversation = {
	/** Sends a request; resolves to the server's own response with the caller's id. */
	readonly request: (request: ConversationRequest) => Promise<JsonRpcResponse>;
	/** Asks the server for a sign of life, apart from all requests. */
	readonly ping: () => { readonly answered: Promise<void>; readonly forget: () => void };
	readonly notify: (method: string, params?: Record<string, unknown>) => void;
	readonly receiveLine: (line: Buffer) => void;
	/** A line over the cap: its head while it goes on, its tail when it has ended. */
	readonly receiveOverlongLine: (part: Buffer, ended: boolean) => void;
	/** Fails every request that waits, each with an error of its own. */
	readonly failAll: (error: McpStdioError) => void;
	/** The requests that wait for an answer. */
	readonly waiting: () => readonly ConversationRequest[];
};

export type ConversationOptions = {
	readonly writer: Writer;
	readonly maxMessageBytes: number;
	/** Builds the error for something that went wrong with the server. */
	readonly failure: (code: McpStdioErrorCode, what: string) => McpStdioError;
	/** `isText` is set for what is no message at all. */
	readonly onNoise: (problem: string, text: string, isText?: boolean) => void;
	/** A caller stopped waiting for the request with this id; `sent` tells whether the server may have read it. */
	readonly onInterrupted: (id: number, sent: boolean) => void;
	/** A write found the pipe broken. */
	readonly onBrokenPipe: () => void;
	/** The server broke off in a way that no single request can be blamed for. */
	readonly onUnusable: (error: McpStdioError) => void;
};

type Waiting = ConversationRequest & {
	readonly callerToken: string | number | undefined;
	readonly resolve: (response: JsonRpcResponse) => void;
	readonly reject: (error: McpStdioError) => void;
	write: PendingWrite | undefined;
};

/** How long a cancelled request that was never answered may still be the origin of a server's notifications. */
const afterglowMs = 30_000;

// https://modelcontextprotocol.io/specification/2025-11-25/basic#responses: a client that offers nothing for it says -32601.
const methodNotFound = -32601;

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
	const cancelled = new Set<number>();
	const pings = new Map<number, () => void>();
	let lastId = 0;
	/** Whether the overlong line that is being read has been dealt with. */
	let overlongSettled = false;

	function send(message: object): void {
		writer.write(`${JSON.stringify(message)}\n`);
	}

	function take(id: number): Waiting | undefined {
		const request = waiting.get(id);
		waiting.delete(id);
		return request;
	}

	function onlyId(): number | undefined {
		return waiting.size === 1 ? waiting.keys().next().value : undefined;
	}

	function receive(message: IncomingMessage): void {
		if (message.kind === "response") {
			receiveResponse(message.id, message.response);
		} else if (message.kind === "notification") {
			receiveNotification(message.notification);
		} else {
			answer(message.id, message.method);
		}
	}

	function answer(id: unknown, method: string): void {
		const refusal = { code: methodNotFound, message: `Method not found: ${method} is not available over this bridge` };
		send(method === "ping" ? { jsonrpc: "2.0", id, result: {} } : { jsonrpc: "2.0", id, error: refusal });
	}

	function receiveResponse(id: unknown, response: Record<string, unknown>): void {
		// A server that could not read an id answers null: it can only mean the one request it has.
		const meantId = id === null && isUnreadable(response.error) && cancelled.size === 0 ? onlyId() : id;
		if (typeof meantId === "number" && pings.has(meantId)) {
			pings.get(meantId)?.();
			pings.delete(meantId);
			return;
		}
		const request = typeof meantId === "number" ? take(meantId) : undefined;
		if (!request) {
			const late = typeof id === "number" && id <= lastId;
			if (late) cancelled.delete(id);
			onNoise(late ? "a late or second answer" : "an answer to a request that nobody made", textOf(response));
		} else if ("result" in response || "error" in response) {
			response.jsonrpc = "2.0";
			response.id = request.request.id;
			request.resolve(response as JsonRpcResponse);
		} else {
			request.reject(failure("INVALID_ANSWER", "answered with neither a result nor an error"));
		}
	}

	function receiveNotification(notification: JsonRpcNotification): void {
		const { method, params } = notification;
		if (method === "notifications/progress") {
			const token = params?.progressToken;
			const request = typeof token === "number" ? waiting.get(token) : undefined;
			if (request?.callerToken === undefined) onNoise("progress that nobody asked for", method);
			else deliver(request, { ...notification, params: { ...params, progressToken: request.callerToken } });
			return;
		}
		const id = cancelled.size === 0 ? onlyId() : undefined;
		const request = id === undefined ? undefined : waiting.get(id);
		if (request) deliver(request, notification);
		else onNoise("a notification that cannot be told to belong to one request", method);
	}

	function deliver({ onNotification }: Waiting, notification: JsonRpcNotification): void {
		const failed = (): void => onNoise("onNotification threw", notification.method);
		try {
			const told: unknown = onNotification?.(notification);
			if (told instanceof Promise) told.catch(failed);
		} catch {
			failed();
		}
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
		if (sent) {
			cancelled.add(id);
			startAwakeTimer(afterglowMs, () => cancelled.delete(id));
		}
		options.onInterrupted(id, sent);
	}

	return {
		request({ request, signal, onNotification, observer, correlation }) {
			lastId += 1;
			const id = lastId;
			const callerToken = progressToken(request);
			let text: string;
			try {
				text = `${JSON.stringify(outgoingRequest(request, id, callerToken))}\n`;
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
			const answered = new Promise<void>((resolve) => pings.set(id, resolve));
			send({ jsonrpc: "2.0", id, method: "ping" });
			return { answered, forget: () => pings.delete(id) };
		},
		notify: (method, params) => send(params ? { jsonrpc: "2.0", method, params } : { jsonrpc: "2.0", method }),
		receiveLine: (line) => parseLine(line, receive, onNoise),
		receiveOverlongLine(part, ended) {
			if (ended && overlongSettled) {
				overlongSettled = false;
				return;
			}
			const what = `wrote a line of more than ${options.maxMessageBytes} bytes; raise params.maxMessageBytes or ask for less`;
			const error = failure("MESSAGE_TOO_LARGE", what);
			const named = requestIdOfOverlongLine(part, ended ? "tail" : "head");
			const id = named ?? (ended ? undefined : onlyId());
			if (id !== undefined) {
				const request = take(id);
				if (request) request.reject(error);
				else onNoise("an overlong answer that nobody waits for", part.toString("latin1"));
			} else if (ended && waiting.size > 0) {
				// Which of several requests it answers cannot be told: none of them may wait for ever.
				options.onUnusable(error);
			}
			overlongSettled = !ended && (id !== undefined || waiting.size === 0);
		},
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

/** JSON-RPC answers null only when it could not read an id: https://www.jsonrpc.org/specification#response_object */
function isUnreadable(error: unknown): boolean {
	return isObject(error) && (error.code === -32700 || error.code === -32600);
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
