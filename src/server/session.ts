import type { Interruption } from "../deadline.ts";
import { McpStdioError, type McpStdioErrorCode, type McpStdioErrorData } from "../errors.ts";
import { isObject, type JsonRpcNotification, type JsonRpcRequest, type JsonRpcResponse } from "../jsonrpc.ts";
import { type ExitReason, type Observer, type ServerProcessInfo, type SessionSource, tell } from "../observer.ts";
import { startAwakeTimer } from "./awake-timer.ts";
import { type IncomingMessage, parseLine, requestIdOfOverlongLine } from "./incoming.ts";
import type { ResolvedServerParams } from "./params.ts";
import { type ProcessExit, spawnServerProcess } from "./process.ts";
import type { PendingWrite } from "./writer.ts";

/** One request on its way through a session. */
export type SessionRequest = {
	readonly request: JsonRpcRequest;
	/** Fires with an `Interruption` when the caller stops waiting. */
	readonly signal: AbortSignal;
	readonly onNotification: ((notification: JsonRpcNotification) => void) | undefined;
	readonly observer: Observer | undefined;
};

/** One MCP conversation with one child process. */
export type Session = {
	readonly info: ServerProcessInfo;
	readonly source: SessionSource;
	/** Settles when the handshake is over; rejects with HANDSHAKE_FAILED, MESSAGE_TOO_LARGE or ABORTED. */
	readonly ready: Promise<InitializeAnswer>;
	/** Forwards a request; resolves to the server's own response with the caller's id. */
	readonly request: (request: SessionRequest) => Promise<JsonRpcResponse>;
	/** Resolves once it is known whether the server still reacts after a cancellation; at once when nobody doubts it. */
	readonly trusted: () => Promise<void>;
	/** Ends the child in the background; what is still waiting for an answer fails with `error`. */
	readonly end: (reason: ExitReason, urgent?: boolean, error?: McpStdioError) => void;
	readonly stderrTail: () => readonly string[];
	readonly isOpen: () => boolean;
	readonly lastActiveAt: () => number;
	readonly exited: Promise<ProcessExit>;
	readonly gone: Promise<void>;
};

/** What the server answered to `initialize`: its own response, id aside. */
export type InitializeAnswer = { readonly result: Record<string, unknown> } | { readonly error: unknown };

export type SessionOptions = {
	readonly params: ResolvedServerParams;
	readonly source: SessionSource;
	/** The protocol version to ask for. */
	readonly protocolVersion: string;
	/** Who is told about the child while it serves no request. */
	readonly observer: () => Observer | undefined;
	/** Told once, as soon as the session can take no more requests. */
	readonly onEnd: () => void;
};

type Pending = SessionRequest & {
	readonly callerToken: unknown;
	readonly resolve: (response: JsonRpcResponse) => void;
	readonly reject: (error: McpStdioError) => void;
	write: PendingWrite | undefined;
	undelivered: boolean;
};

/** How long a server may be silent after a cancellation, and be in its handshake, before it is given up. */
const cancelGraceMs = 1000;
const handshakeLimitMs = 120_000;

/** How long the exit of a server that no longer reads is waited for. */
const brokenPipeGraceMs = 150;

/** How long a cancelled request that was never answered may still be the origin of a server's notifications. */
const afterglowMs = 30_000;

const clientInfo = { name: "mcp-stdio-lambda", version: "0.1.0" };

// https://modelcontextprotocol.io/specification/2025-11-25/basic#responses: a server that offers nothing for it says -32601.
const methodNotFound = -32601;

const undelivered = new WeakSet<Error>();

/** Whether a request provably never reached its server, so that giving it to another process cannot run it twice. */
export function wasUndelivered(error: unknown): boolean {
	return error instanceof Error && undelivered.has(error);
}

/** Starts a child and its handshake. Rejects with SPAWN_FAILED; what goes wrong later is reported by `ready`. */
export async function startSession(options: SessionOptions): Promise<Session> {
	const { params, source } = options;
	const startedAt = performance.now();
	const pending = new Map<number, Pending>();
	const cancelled = new Set<number>();
	const ready = Promise.withResolvers<InitializeAnswer>();
	ready.promise.catch(() => {});
	let state: "starting" | "ready" | "ended" = "starting";
	let lastId = 0;
	let lastActiveAt = startedAt;
	let lastHeardAt = startedAt;
	let doubt: Promise<void> | undefined;
	let cancelHandshakeLimit: (() => void) | undefined;

	const childProcess = await spawnServerProcess(params, source === "fresh", {
		onLine: (line) => {
			lastHeardAt = performance.now();
			lastActiveAt = lastHeardAt;
			parseLine(line, receive, noise);
		},
		onOverlongLine: (head) => failOverlong(requestIdOfOverlongLine(head)),
		onOverlongLineEnd: (tail) => failOverlong(requestIdOfOverlongLine(tail), true),
		onStderrLine: (line) => {
			const observers = involvedObservers();
			if (!observers.some((observer) => observer.stderr)) return;
			const [only] = pending.values();
			const requestId = pending.size === 1 ? only?.request.id : undefined;
			const event = { ...info, line: line.toString("utf8").trimEnd(), requestId };
			for (const observer of observers) tell(observer, "stderr", event);
		},
		onOutputClosed: () => {
			end("output-closed", true, failure("SERVER_EXITED", "closed its output (stdout) but keeps running"));
		},
		onExit: (exit) => {
			for (const observer of involvedObservers()) tell(observer, "exit", { ...info, ...exit });
			end(exit.reason, false, exitFailure(exit));
		},
	});
	const info: ServerProcessInfo = { server: params.name, pid: childProcess.pid };
	tell(options.observer(), "spawn", { ...info, source });

	function failure(code: McpStdioErrorCode, what: string, data: McpStdioErrorData = {}): McpStdioError {
		return new McpStdioError(code, `MCP server ${params.name} ${what}`, {
			data: { phase: state === "starting" ? "initialize" : "request", ...data },
			stderr: childProcess.stderrTail(),
		});
	}

	function exitFailure({ exitCode, signal }: ProcessExit): McpStdioError {
		const how = signal ? `was killed by ${signal}` : `exited with code ${exitCode}`;
		return state === "starting"
			? failure("HANDSHAKE_FAILED", `${how} before it answered initialize; run its command by hand to see why`, {
					exitCode,
					signal,
				})
			: failure("SERVER_EXITED", `${how} before it answered; its own log or stderr says why`, { exitCode, signal });
	}

	function involvedObservers(): Observer[] {
		const observers = new Set([...pending.values()].map(({ observer }) => observer));
		if (observers.size === 0) observers.add(options.observer());
		return [...observers].filter((observer) => observer !== undefined);
	}

	function noise(problem: string, text: string): void {
		for (const observer of involvedObservers()) tell(observer, "noise", { ...info, problem, text: text.slice(0, 200) });
	}

	function send(message: object): void {
		childProcess.writer.write(`${JSON.stringify(message)}\n`, () => {});
	}

	function settle(id: number): Pending | undefined {
		const request = pending.get(id);
		pending.delete(id);
		return request;
	}

	function receive(message: IncomingMessage): void {
		if (message.kind === "request") {
			const { id } = message;
			const error = {
				code: methodNotFound,
				message: `Method not found: ${message.method} is not available over this bridge`,
			};
			send(message.method === "ping" ? { jsonrpc: "2.0", id, result: {} } : { jsonrpc: "2.0", id, error });
		} else if (message.kind === "notification") {
			receiveNotification(message.notification);
		} else {
			receiveResponse(message.id, message.response);
		}
	}

	function receiveResponse(id: unknown, response: Record<string, unknown>): void {
		// A server that could not read an id answers null: it can only mean the one request it has.
		const meantId = id === null && "error" in response && pending.size === 1 ? [...pending.keys()][0] : id;
		const request = typeof meantId === "number" ? settle(meantId) : undefined;
		if (!request) {
			const late = typeof id === "number" && id <= lastId;
			if (late) cancelled.delete(id);
			noise(late ? "a late or second answer" : "an answer to a request that nobody made", JSON.stringify(response));
		} else if ("result" in response || "error" in response) {
			request.resolve(Object.assign(response, { jsonrpc: "2.0", id: request.request.id }) as JsonRpcResponse);
		} else {
			request.reject(failure("INVALID_ANSWER", "answered with neither a result nor an error"));
		}
	}

	function receiveNotification(notification: JsonRpcNotification): void {
		if (notification.method === "notifications/progress") {
			const token = notification.params?.progressToken;
			const request = typeof token === "number" ? pending.get(token) : undefined;
			if (request === undefined || request.callerToken === undefined) {
				noise("progress that nobody asked for", notification.method);
				return;
			}
			deliver(request, {
				...notification,
				params: { ...notification.params, progressToken: request.callerToken },
			});
			return;
		}
		const [only] = pending.values();
		if (only && pending.size === 1 && cancelled.size === 0) deliver(only, notification);
		else noise("a notification that cannot be told to belong to one request", notification.method);
	}

	function deliver({ onNotification }: Pending, notification: JsonRpcNotification): void {
		try {
			onNotification?.(notification);
		} catch {
			noise("onNotification threw", notification.method);
		}
	}

	function failOverlong(id: number | undefined, lineEnded = false): void {
		const error = failure(
			"MESSAGE_TOO_LARGE",
			`wrote a line of more than ${params.maxMessageBytes} bytes; raise params.maxMessageBytes or ask for less`,
		);
		const only = pending.size === 1 ? [...pending.keys()][0] : undefined;
		const meantId = id !== undefined && pending.has(id) ? id : only;
		if (meantId !== undefined) settle(meantId)?.reject(error);
		// Which of several requests the line answers cannot be told: none of them may wait for ever.
		else if (lineEnded && pending.size > 0) end("closed", true, error);
	}

	function end(reason: ExitReason, urgent = false, error?: McpStdioError): void {
		if (state !== "ended") {
			const why = error ?? (pending.size > 0 || state === "starting" ? failure("ABORTED", "was closed") : undefined);
			const waiting = [...pending.values()];
			pending.clear();
			state = "ended";
			cancelHandshakeLimit?.();
			options.onEnd();
			if (why) {
				for (const request of waiting) request.reject(forRequest(why, request));
				ready.reject(why);
			}
		}
		childProcess.end(reason, urgent);
	}

	/** An error of its own for each request, so that the one that was never delivered can be told apart. */
	function forRequest(error: McpStdioError, { write, undelivered: lost }: Pending): McpStdioError {
		const own = error.with({});
		if (lost || write?.state === "queued") undelivered.add(own);
		return own;
	}

	function request({ request, signal, onNotification, observer }: SessionRequest): Promise<JsonRpcResponse> {
		if (state === "ended") {
			const error = failure("SERVER_EXITED", "ended before the request was sent");
			undelivered.add(error);
			return Promise.reject(error);
		}
		lastId += 1;
		const id = lastId;
		const callerToken = progressToken(request);
		let text: string;
		try {
			text = `${JSON.stringify(outgoingRequest(request, id, callerToken))}\n`;
		} catch (cause) {
			return Promise.reject(
				new McpStdioError("INVALID_JSON", "the request cannot be written as JSON", {
					data: { phase: "validate" },
					cause,
				}),
			);
		}
		lastActiveAt = performance.now();
		const answer = Promise.withResolvers<JsonRpcResponse>();
		const interrupt = (): void => {
			const interrupted = settle(id);
			if (!interrupted) return;
			const { code, limitMs, cause }: Interruption = signal.reason;
			const what =
				code === "TIMEOUT"
					? `did not answer ${request.method} within ${Math.round(limitMs)} ms; allow more time or look at what it waits for`
					: `was still working on ${request.method} when the caller aborted`;
			answer.reject(Object.assign(failure(code, what), { cause }));
			cancelRequest(id, interrupted);
		};
		const entry: Pending = {
			request,
			signal,
			onNotification,
			observer,
			callerToken,
			write: undefined,
			undelivered: false,
			resolve: (response) => {
				signal.removeEventListener("abort", interrupt);
				answer.resolve(response);
			},
			reject: (error) => {
				signal.removeEventListener("abort", interrupt);
				answer.reject(error);
			},
		};
		pending.set(id, entry);
		if (signal.aborted) {
			interrupt();
			return answer.promise;
		}
		signal.addEventListener("abort", interrupt, { once: true });
		entry.write = childProcess.writer.write(text, () => {
			// The pipe broke before the whole line was in it, so the server cannot have read it. If it died, its exit code comes soon.
			entry.undelivered = true;
			startAwakeTimer(brokenPipeGraceMs, () => {
				end("output-closed", true, failure("SERVER_EXITED", "closed its input (stdin) before the request was sent"));
			});
		});
		return answer.promise;
	}

	function cancelRequest(id: number, { write }: Pending): void {
		if (source !== "kept" || state !== "ready") return;
		if (write && !childProcess.writer.withdraw(write)) {
			cancelled.add(id);
			startAwakeTimer(afterglowMs, () => cancelled.delete(id));
			send({
				jsonrpc: "2.0",
				method: "notifications/cancelled",
				params: { requestId: id, reason: "The caller stopped waiting" },
			});
		}
		doubt ??= proveAlive().finally(() => {
			doubt = undefined;
		});
	}

	/** A cancelled request is not answered, so silence alone means nothing: the server is asked for a sign of life. */
	async function proveAlive(): Promise<void> {
		const sign = new AbortController();
		const since = lastHeardAt;
		const pinged = request({
			request: { jsonrpc: "2.0", id: 0, method: "ping" },
			signal: sign.signal,
			onNotification: undefined,
			observer: undefined,
		});
		const cancelGrace = startAwakeTimer(cancelGraceMs, () => {
			if (lastHeardAt > since) sign.abort({ code: "TIMEOUT", limitMs: cancelGraceMs } satisfies Interruption);
			else
				end("silent", true, failure("SERVER_EXITED", "was replaced: it did not react after a request was cancelled"));
		});
		await pinged.catch(() => {});
		cancelGrace();
	}

	async function shakeHands(): Promise<InitializeAnswer> {
		const response = await request({
			request: {
				jsonrpc: "2.0",
				id: 0,
				method: "initialize",
				params: { protocolVersion: options.protocolVersion, capabilities: {}, clientInfo },
			},
			signal: new AbortController().signal,
			onNotification: undefined,
			observer: undefined,
		});
		if ("error" in response) return { error: response.error };
		const { result } = response;
		if (!isObject(result) || typeof result.protocolVersion !== "string") {
			throw failure("HANDSHAKE_FAILED", "answered initialize without a protocolVersion; is it an MCP server?");
		}
		return { result };
	}

	cancelHandshakeLimit = startAwakeTimer(handshakeLimitMs, () => {
		end("handshake", true, failure("HANDSHAKE_FAILED", `did not answer initialize within ${handshakeLimitMs} ms`));
	});
	shakeHands().then(
		(answer) => {
			if (state !== "starting") return;
			cancelHandshakeLimit?.();
			if ("error" in answer) {
				ready.resolve(answer);
				end("handshake", true, failure("HANDSHAKE_FAILED", "answered initialize with an error"));
				return;
			}
			state = "ready";
			send({ jsonrpc: "2.0", method: "notifications/initialized" });
			tell(options.observer(), "ready", { ...info, elapsedMs: performance.now() - startedAt });
			ready.resolve(answer);
		},
		(error: McpStdioError) => {
			end("handshake", true, error);
		},
	);

	return {
		info,
		source,
		ready: ready.promise,
		request,
		trusted: async () => await doubt,
		end,
		stderrTail: childProcess.stderrTail,
		isOpen: () => state !== "ended",
		lastActiveAt: () => lastActiveAt,
		exited: childProcess.exited,
		gone: childProcess.gone,
	};
}

function progressToken({ params }: JsonRpcRequest): unknown {
	const meta = params?._meta;
	const token = isObject(meta) ? meta.progressToken : undefined;
	return typeof token === "string" || typeof token === "number" ? token : undefined;
}

/** Ids and progress tokens are the session's own towards the server, so that callers cannot collide. */
function outgoingRequest(request: JsonRpcRequest, id: number, callerToken: unknown): JsonRpcRequest {
	if (callerToken === undefined) return { ...request, id };
	const meta = request.params?._meta as Record<string, unknown>;
	return { ...request, id, params: { ...request.params, _meta: { ...meta, progressToken: id } } };
}
