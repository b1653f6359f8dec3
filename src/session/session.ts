import { startAwakeTimer } from "../child/awake-timer.ts";
import { type ProcessExit, type ServerProcess, spawnServerProcess } from "../child/process.ts";
import { McpStdioError, type McpStdioErrorCode, type McpStdioErrorData } from "../errors.ts";
import type { JsonRpcRequest, JsonRpcResponse } from "../jsonrpc.ts";
import type { ExitReason, Observer, ServerProcessInfo, SessionSource } from "../observer.ts";
import type { ResolvedServerParams } from "../params.ts";
import { asUndelivered, type ConversationRequest, createConversation } from "./conversation.ts";
import { createSessionEvents, type SessionEvents } from "./events.ts";
import type { Handshake } from "./handshake.ts";
import { createLiveness } from "./liveness.ts";
import { refusedHandshake } from "./refusal.ts";
import { answerServerRequest } from "./server-requests.ts";
import { logPlace, type StartFacts, startDetails } from "./start-facts.ts";

/** One child process and the MCP conversation with it, from its handshake to its end. */
export type Session = {
	readonly info: ServerProcessInfo;
	readonly source: SessionSource;
	/** Resolves to the server's result of the handshake when it is over; rejects with what went wrong. */
	readonly ready: Promise<Record<string, unknown>>;
	/** Forwards a request; resolves to the server's own response with the caller's id. */
	readonly request: (request: ConversationRequest) => Promise<JsonRpcResponse>;
	/** Whether it is not known for now that the server still reacts. */
	readonly isDoubted: () => boolean;
	/** Resolves when it is known; the session is then open or has ended. */
	readonly trusted: () => Promise<void>;
	/** Ends the child in the background; what still waits for an answer fails with `error`. */
	readonly end: (reason: ExitReason, urgent?: boolean, error?: McpStdioError) => void;
	readonly isOpen: () => boolean;
	/** When it last read or wrote a message, by `performance.now()`. */
	readonly lastActiveAt: () => number;
	/** What is known of the child, for a failure to start. */
	readonly startFacts: () => StartFacts;
	readonly exited: Promise<ProcessExit>;
	readonly gone: Promise<void>;
};

export type SessionOptions = {
	readonly params: ResolvedServerParams;
	readonly source: SessionSource;
	readonly handshake: Handshake;
	/** Told that the server takes another version than the one it was asked for. */
	readonly onOtherVersion: (version: string) => void;
	/** Of the request that it is started for. */
	readonly correlation?: unknown;
	/** Who is told about the child while it serves no request. */
	readonly observer: () => Observer | undefined;
	/** Told once, as soon as the session can take no more requests. */
	readonly onEnd: () => void;
};

/** How long a handshake may take that no request waits for any more. */
const handshakeLimitMs = 120_000;

/** How long the exit of a server that no longer reads is waited for. */
const brokenPipeGraceMs = 150;

/** Starts a child and its handshake. Rejects with SPAWN_FAILED; what goes wrong later is reported by `ready`. */
export async function startSession(options: SessionOptions): Promise<Session> {
	const { params, source, correlation } = options;
	const startedAt = performance.now();
	const ready = Promise.withResolvers<Record<string, unknown>>();
	ready.promise.catch(() => {});
	let state: "starting" | "ready" | "ended" = "starting";
	let lastHeardAt = startedAt;
	let lastSentAt = startedAt;
	/** What a process of its own was given: everything that it writes from then on is about it. */
	let served: readonly ConversationRequest[] = [];

	const events = createSessionEvents({
		info: () => info,
		source,
		correlation,
		isStarting: () => state === "starting",
		requests: () => (source === "kept" || served.length === 0 ? conversation.waiting() : served),
		observer: options.observer,
		onFlood: () =>
			end("flood", true, failure("SERVER_EXITED", "was ended: it wrote without pause and answered nothing")),
	});
	const hear =
		<T extends unknown[]>(receive: (...heard: T) => void) =>
		(...heard: T): void => {
			lastHeardAt = performance.now();
			receive(...heard);
		};

	const child = await spawnServerProcess(params, source === "fresh", {
		onMessage: hear((message) => conversation.receive(message)),
		onNoise: hear(events.noise),
		onUnreadable: hear((id, text) => conversation.receiveUnreadable(id, text)),
		onOverlong: hear((id, ended, text) => {
			conversation.receiveOverlong(id, ended, text);
			// Nothing can be heard from a server whose line never ends.
			if (!ended && outlivesRequests()) liveness.doubt();
		}),
		onStderrLine: events.stderr,
		onOutputClosed: () => {
			end("output-closed", true, failure("SERVER_EXITED", "closed its output (stdout) but keeps running"));
		},
		onExit: (exit) => {
			events.exited(exit);
			end(exit.reason, false, state === "ended" ? undefined : exitFailure(exit));
		},
	});
	const spawnedAt = performance.now();
	const info: ServerProcessInfo = { server: params.name, pid: child.pid };
	const conversation = createConversation({
		writer: child.writer,
		maxMessageBytes: params.maxMessageBytes,
		failure: (code, what, details) => failure(code, what, {}, details),
		onNoise: events.noise,
		onUseful: (kind) => {
			events.useful();
			if (kind === "answer") liveness.answered();
		},
		onServerRequest: answerServerRequest,
		onInterrupted: (requestId, sent) => {
			if (!outlivesRequests()) return;
			if (sent) conversation.notify("notifications/cancelled", { requestId, reason: "The caller stopped waiting" });
			liveness.doubt();
		},
		onBrokenPipe: () => {
			// If it died, its exit code comes soon and says more than a broken pipe.
			startAwakeTimer(brokenPipeGraceMs, () => {
				end("output-closed", true, failure("SERVER_EXITED", "closed its input (stdin) before the request was sent"));
			});
		},
		onUnusable: (error) => end("closed", true, error),
	});
	const liveness = createLiveness({
		ping: conversation.ping,
		needsPing: () => state === "ready" && conversation.needsPing(),
		onDead: () => end("silent", true, failure("SERVER_EXITED", "was replaced: it did not react any more")),
	});

	function startFacts(): StartFacts {
		return factsOf(params, child, events);
	}

	function failure(
		code: McpStdioErrorCode,
		what: string,
		data: McpStdioErrorData = {},
		details: readonly string[] = [],
	): McpStdioError {
		const phase = state === "starting" ? "initialize" : "request";
		const facts = state === "starting" ? startFacts() : { stderr: child.stderr(), details };
		return new McpStdioError(code, `MCP server ${params.name} ${what}`, { data: { phase, ...data }, ...facts });
	}

	function exitFailure({ exitCode, signal }: ProcessExit): McpStdioError {
		const how = signal ? `was killed by ${signal}` : `exited with code ${exitCode}`;
		return state === "starting"
			? failure(
					"HANDSHAKE_FAILED",
					`${how} before it answered initialize; ${logPlace()} has its command, to be run by hand`,
					{ exitCode, signal },
				)
			: failure("SERVER_EXITED", `${how} before it answered; its stderr, in ${logPlace()}, may say why`, {
					exitCode,
					signal,
				});
	}

	function end(reason: ExitReason, urgent = false, error?: McpStdioError): void {
		if (state !== "ended") {
			const lost = state === "starting" || conversation.waiting().length > 0;
			const why = error ?? (lost ? failure("ABORTED", "was closed") : undefined);
			state = "ended";
			cancelHandshakeLimit();
			options.onEnd();
			if (why) {
				conversation.failAll(why);
				ready.reject(why);
			}
		}
		child.end(reason, urgent);
	}

	function request(call: ConversationRequest): Promise<JsonRpcResponse> {
		if (state === "ended") {
			return Promise.reject(asUndelivered(failure("SERVER_EXITED", "ended before the request was sent")));
		}
		lastSentAt = performance.now();
		if (source !== "kept") served = [call];
		return conversation.request(call);
	}

	function outlivesRequests(): boolean {
		return source === "kept" && state === "ready";
	}

	const cancelHandshakeLimit = startAwakeTimer(handshakeLimitMs, () => {
		const what = `did not answer initialize within ${handshakeLimitMs} ms; does it speak MCP over stdio?`;
		end("handshake", true, failure("HANDSHAKE_FAILED", what));
	});
	options
		.handshake({
			request: (method, callParams) => conversation.request({ request: handshakeRequest(method, callParams) }),
			notify: conversation.notify,
			insteadAsk: options.onOtherVersion,
			refused: (error) => refusedHandshake(params.name, error, startFacts()),
			failed: (what) => failure("HANDSHAKE_FAILED", what),
		})
		.then(
			(result) => {
				if (state !== "starting") return;
				cancelHandshakeLimit();
				state = "ready";
				events.ready(performance.now() - startedAt);
				ready.resolve(result);
			},
			(error: McpStdioError) => end("handshake", true, error),
		);
	events.spawned(spawnedAt - startedAt);

	return {
		info,
		source,
		ready: ready.promise,
		request,
		isDoubted: liveness.isDoubted,
		trusted: liveness.settled,
		end,
		isOpen: () => state !== "ended",
		lastActiveAt: () => Math.max(lastHeardAt, lastSentAt),
		startFacts,
		exited: child.exited,
		gone: child.gone,
	};
}

function factsOf(params: ResolvedServerParams, child: ServerProcess, events: SessionEvents): StartFacts {
	const stderr = child.stderr();
	return { stderr, details: startDetails(params, stderr, events.firstText()) };
}

function handshakeRequest(method: string, params: Readonly<Record<string, unknown>>): JsonRpcRequest {
	return { jsonrpc: "2.0", id: 0, method, params };
}
