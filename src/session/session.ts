import { startAwakeTimer } from "../child/awake-timer.ts";
import { type ProcessExit, spawnServerProcess } from "../child/process.ts";
import { McpStdioError, type McpStdioErrorCode, type McpStdioErrorData } from "../errors.ts";
import { isObject, type JsonRpcResponse } from "../jsonrpc.ts";
import { type ExitReason, type Observer, type ServerProcessInfo, type SessionSource, tell } from "../observer.ts";
import type { ResolvedServerParams } from "../params.ts";
import { asUndelivered, type ConversationRequest, createConversation } from "./conversation.ts";
import { refusedHandshake } from "./refusal.ts";
import { logPlace, type StartFacts, startDetails } from "./start-facts.ts";

/** One child process and the MCP conversation with it, from its handshake to its end. */
export type Session = {
	readonly info: ServerProcessInfo;
	readonly source: SessionSource;
	/** Resolves to the server's result of `initialize` when the handshake is over; rejects with what went wrong. */
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
	/** The protocol version to ask for. */
	readonly protocolVersion: string;
	/** Of the request that it is started for. */
	readonly correlation?: unknown;
	/** Who is told about the child while it serves no request. */
	readonly observer: () => Observer | undefined;
	/** Told once, as soon as the session can take no more requests. */
	readonly onEnd: () => void;
};

/** How long a server may be silent, after a cancellation or in a line that does not end, before it is replaced. */
const cancelGraceMs = 1000;

/** How long a handshake may take that nobody waits for any more. */
const handshakeLimitMs = 120_000;

/** How long the exit of a server that no longer reads is waited for. */
const brokenPipeGraceMs = 150;

const clientInfo = { name: "mcp-stdio-lambda", version: "0.1.0" };

/** Starts a child and its handshake. Rejects with SPAWN_FAILED; what goes wrong later is reported by `ready`. */
export async function startSession(options: SessionOptions): Promise<Session> {
	const { params, source, correlation } = options;
	const startedAt = performance.now();
	const ready = Promise.withResolvers<Record<string, unknown>>();
	ready.promise.catch(() => {});
	let state: "starting" | "ready" | "ended" = "starting";
	let lastHeardAt = startedAt;
	let lastSentAt = startedAt;
	let doubt: Promise<void> | undefined;
	/** The first thing on stdout that is no message: what a program prints that is no MCP server. */
	let firstText: string | undefined;

	const childProcess = await spawnServerProcess(params, source === "fresh", {
		onLine: (line) => {
			lastHeardAt = performance.now();
			try {
				conversation.receiveLine(line);
			} catch {
				noise("a message that cannot be handled", "");
			}
		},
		onOverlongLine: (head) => {
			conversation.receiveOverlongLine(head, false);
			// Nothing can be heard from a server whose line never ends.
			if (outlivesRequests()) doubtIt();
		},
		onOverlongLineEnd: (tail) => conversation.receiveOverlongLine(tail, true),
		onStderrLine: (line) => {
			const observers = involvedObservers();
			if (!observers.some((observer) => observer.stderr)) return;
			const served = onlyServed();
			const event = {
				...info,
				line: line.toString("utf8").trimEnd(),
				requestId: served?.request.id,
				correlation: state === "starting" ? correlation : served?.correlation,
			};
			for (const observer of observers) tell(observer, "stderr", event);
		},
		onOutputClosed: () => {
			end("output-closed", true, failure("SERVER_EXITED", "closed its output (stdout) but keeps running"));
		},
		onExit: (exit) => {
			const event = { ...info, ...exit, correlation: state === "starting" ? correlation : onlyServed()?.correlation };
			for (const observer of involvedObservers()) tell(observer, "exit", event);
			end(exit.reason, false, state === "ended" ? undefined : exitFailure(exit));
		},
	});
	const spawnedAt = performance.now();
	const info: ServerProcessInfo = { server: params.name, pid: childProcess.pid };
	const conversation = createConversation({
		writer: childProcess.writer,
		maxMessageBytes: params.maxMessageBytes,
		failure,
		onNoise: noise,
		onInterrupted,
		onBrokenPipe: () => {
			// If it died, its exit code comes soon and says more than a broken pipe.
			startAwakeTimer(brokenPipeGraceMs, () => {
				end("output-closed", true, failure("SERVER_EXITED", "closed its input (stdin) before the request was sent"));
			});
		},
		onUnusable: (error) => end("closed", true, error),
	});

	/** `isText` tells what is no message at all from a message that cannot be used, which may be a late result. */
	function noise(problem: string, text: string, isText = false): void {
		const excerpt = text.slice(0, 200);
		const first = isText && firstText === undefined;
		if (first) firstText = excerpt;
		for (const observer of involvedObservers()) tell(observer, "noise", { ...info, problem, text: excerpt, first });
	}

	function startFacts(): StartFacts {
		const stderr = childProcess.stderr();
		return { stderr, details: startDetails(params, stderr, firstText) };
	}

	function failure(code: McpStdioErrorCode, what: string, data: McpStdioErrorData = {}): McpStdioError {
		return new McpStdioError(code, `MCP server ${params.name} ${what}`, {
			data: { phase: state === "starting" ? "initialize" : "request", ...data },
			...(state === "starting" ? startFacts() : { stderr: childProcess.stderr() }),
		});
	}

	function exitFailure({ exitCode, signal }: ProcessExit): McpStdioError {
		const how = signal ? `was killed by ${signal}` : `exited with code ${exitCode}`;
		const [code, what] =
			state === "starting"
				? ([
						"HANDSHAKE_FAILED",
						`before it answered initialize; ${logPlace()} has its command, to be run by hand`,
					] as const)
				: (["SERVER_EXITED", `before it answered; its stderr, in ${logPlace()}, may say why`] as const);
		return failure(code, `${how} ${what}`, { exitCode, signal });
	}

	/** The request that is served, when there is exactly one. */
	function onlyServed(): ConversationRequest | undefined {
		const [only, ...others] = state === "starting" ? [] : conversation.waiting();
		return others.length === 0 ? only : undefined;
	}

	function involvedObservers(): Observer[] {
		const observers = new Set(conversation.waiting().map(({ observer }) => observer ?? options.observer()));
		if (observers.size === 0) observers.add(options.observer());
		return [...observers].filter((observer) => observer !== undefined);
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
		childProcess.end(reason, urgent);
	}

	function request(call: ConversationRequest): Promise<JsonRpcResponse> {
		if (state === "ended") {
			return Promise.reject(asUndelivered(failure("SERVER_EXITED", "ended before the request was sent")));
		}
		lastSentAt = performance.now();
		return conversation.request(call);
	}

	function onInterrupted(requestId: number, sent: boolean): void {
		if (!outlivesRequests()) return;
		if (sent) conversation.notify("notifications/cancelled", { requestId, reason: "The caller stopped waiting" });
		doubtIt();
	}

	function outlivesRequests(): boolean {
		return source === "kept" && state === "ready";
	}

	function doubtIt(): void {
		doubt ??= proveAlive().finally(() => {
			doubt = undefined;
		});
	}

	/** A cancelled request is not answered, so silence alone means nothing: the server is asked for a sign of life. */
	async function proveAlive(): Promise<void> {
		const since = lastHeardAt;
		const grace = Promise.withResolvers<void>();
		const cancelGrace = startAwakeTimer(cancelGraceMs, grace.resolve);
		const ping = conversation.ping();
		await Promise.race([ping.answered, grace.promise]);
		cancelGrace();
		ping.forget();
		if (lastHeardAt > since) return;
		end("silent", true, failure("SERVER_EXITED", "was replaced: it did not react any more"));
	}

	async function shakeHands(): Promise<Record<string, unknown>> {
		const { protocolVersion } = options;
		const response = await conversation.request({
			request: {
				jsonrpc: "2.0",
				id: 0,
				method: "initialize",
				params: { protocolVersion, capabilities: {}, clientInfo },
			},
		});
		if ("error" in response) throw refusedHandshake(params.name, response.error, startFacts());
		const { result } = response;
		if (!isObject(result) || typeof result.protocolVersion !== "string" || !canBeWritten(result)) {
			throw failure(
				"HANDSHAKE_FAILED",
				"answered initialize without a protocolVersion, or with what cannot be passed on; is it an MCP server?",
			);
		}
		return result;
	}

	const cancelHandshakeLimit = startAwakeTimer(handshakeLimitMs, () => {
		const what = `did not answer initialize within ${handshakeLimitMs} ms; does it speak MCP over stdio?`;
		end("handshake", true, failure("HANDSHAKE_FAILED", what));
	});
	shakeHands().then(
		(result) => {
			if (state !== "starting") return;
			cancelHandshakeLimit();
			state = "ready";
			conversation.notify("notifications/initialized");
			tell(options.observer(), "ready", { ...info, source, elapsedMs: performance.now() - startedAt, correlation });
			ready.resolve(result);
		},
		(error: McpStdioError) => end("handshake", true, error),
	);
	tell(options.observer(), "spawn", { ...info, source, elapsedMs: spawnedAt - startedAt, correlation });

	return {
		info,
		source,
		ready: ready.promise,
		request,
		isDoubted: () => doubt !== undefined,
		trusted: async () => await doubt,
		end,
		isOpen: () => state !== "ended",
		lastActiveAt: () => Math.max(lastHeardAt, lastSentAt),
		startFacts,
		exited: childProcess.exited,
		gone: childProcess.gone,
	};
}

/** JSON.parse takes deeper nesting than JSON.stringify. */
function canBeWritten(value: unknown): boolean {
	try {
		JSON.stringify(value);
		return true;
	} catch {
		return false;
	}
}
