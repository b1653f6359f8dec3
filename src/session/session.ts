import { startAwakeTimer } from "../child/awake-timer.ts";
import { type ProcessExit, spawnServerProcess } from "../child/process.ts";
import type { McpStdioError } from "../errors.ts";
import type { JsonRpcRequest, JsonRpcResponse } from "../jsonrpc.ts";
import type { ExitReason, Observer, ServerProcessInfo, SessionSource } from "../observer.ts";
import type { ResolvedServerParams } from "../params.ts";
import { type Conversation, type ConversationRequest, createConversation } from "./conversation.ts";
import { createSessionEvents } from "./events.ts";
import { createSessionFailures, type SessionFailures } from "./failures.ts";
import type { Handshake } from "./handshake.ts";
import { createLiveness } from "./liveness.ts";
import { refusedHandshake } from "./refusal.ts";
import { type StartFacts, startDetails } from "./start-facts.ts";
import { asUndelivered } from "./waiting.ts";
import { childHandlers, conversationOptions, type SessionParts } from "./wiring.ts";

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

	const isOpen = (): boolean => state !== "ended";
	const isStarting = (): boolean => state === "starting";
	const stderr = (): readonly string[] => child.stderr();
	const startFacts = (): StartFacts => {
		const lines = stderr();
		return { stderr: lines, details: startDetails(params, lines, events.firstText()) };
	};
	const failures = createSessionFailures(params, isStarting, stderr, startFacts);
	const events = createSessionEvents({
		info: () => info,
		source,
		correlation,
		isStarting,
		requests: () => (source === "kept" || served.length === 0 ? conversation.waiting() : served),
		observer: options.observer,
		onFlood: () =>
			end("flood", true, failures.of("SERVER_EXITED", "was ended: it wrote without pause and answered nothing")),
	});
	const parts: SessionParts = {
		params,
		events,
		failures,
		conversation: () => conversation,
		liveness: () => liveness,
		heard: () => {
			lastHeardAt = performance.now();
		},
		isOpen,
		outlivesRequests: () => source === "kept" && state === "ready",
		end,
	};
	const child = await spawnServerProcess(params, source === "fresh", childHandlers(parts));
	const spawnedAt = performance.now();
	const info: ServerProcessInfo = { server: params.name, pid: child.pid };
	const conversation = createConversation(conversationOptions(parts, child));
	const liveness = createLiveness({
		ping: conversation.ping,
		needsPing: () => state === "ready" && conversation.needsPing(),
		onDead: () => end("silent", true, failures.of("SERVER_EXITED", "was replaced: it did not react any more")),
	});

	function end(reason: ExitReason, urgent = false, error?: McpStdioError): void {
		if (state !== "ended") {
			const lost = state === "starting" || conversation.waiting().length > 0;
			const why = error ?? (lost ? failures.of("ABORTED", "was closed") : undefined);
			state = "ended";
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
			return Promise.reject(asUndelivered(failures.of("SERVER_EXITED", "ended before the request was sent")));
		}
		lastSentAt = performance.now();
		if (source !== "kept") served = [call];
		return conversation.request(call);
	}

	performHandshake(options, { conversation, failure: failures.of, startFacts }).then(
		(result) => {
			if (state !== "starting") return;
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
		isOpen,
		lastActiveAt: () => Math.max(lastHeardAt, lastSentAt),
		startFacts,
		exited: child.exited,
		gone: child.gone,
	};
}

type HandshakeTools = {
	readonly conversation: Pick<Conversation, "request" | "notify">;
	readonly failure: SessionFailures["of"];
	readonly startFacts: () => StartFacts;
};

/** Resolves to the server's result; rejects with what is wrong with it, or when there is none in time. */
async function performHandshake(
	{ params, handshake, onOtherVersion }: SessionOptions,
	{ conversation, failure, startFacts }: HandshakeTools,
): Promise<Record<string, unknown>> {
	const late = Promise.withResolvers<never>();
	const cancelLimit = startAwakeTimer(handshakeLimitMs, () => {
		const what = `did not answer initialize within ${handshakeLimitMs} ms; does it speak MCP over stdio?`;
		late.reject(failure("HANDSHAKE_FAILED", what));
	});
	const result = handshake({
		request: (method, callParams) => conversation.request({ request: handshakeRequest(method, callParams) }),
		notify: conversation.notify,
		insteadAsk: onOtherVersion,
		refused: (error) => refusedHandshake(params.name, error, startFacts()),
		failed: (what) => failure("HANDSHAKE_FAILED", what),
	});
	try {
		return await Promise.race([result, late.promise]);
	} finally {
		cancelLimit();
	}
}

function handshakeRequest(method: string, params: Readonly<Record<string, unknown>>): JsonRpcRequest {
	return { jsonrpc: "2.0", id: 0, method, params };
}
