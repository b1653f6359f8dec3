import { inheritedFingerprint, invocationTraceId } from "../child/variables.ts";
import { type Interruption, untilInterrupted } from "../deadline.ts";
import type { McpStdioError } from "../errors.ts";
import type { Observer, SessionSource } from "../observer.ts";
import type { ResolvedServerParams } from "../params.ts";
import { initializeWith } from "../session/handshake.ts";
import { serverErrorBehind } from "../session/refusal.ts";
import { type Session, startSession } from "../session/session.ts";
import { type Breaker, createBreaker } from "./breaker.ts";
import { closedError, hungHandshake, type InterruptedError, interruptedWhileStarting } from "./failures.ts";
import { defaultProtocolVersion } from "./initialize-results.ts";

/** A process on its way to being ready. */
export type StartedSession = {
	/** Resolves when the handshake is done; rejects with what went wrong. Never unhandled. */
	readonly ready: Promise<Session>;
	/** Waits for `ready` as long as the signal allows. A start that has cost three deadlines in a row is given up. */
	readonly untilReady: (signal: AbortSignal) => Promise<Session>;
	readonly isGivenUp: () => boolean;
	/** The session, once it is ready. */
	readonly session: () => Session | undefined;
	/** Whether it was given the trace of the request that it was started for. */
	readonly isTraced: () => boolean;
	/** Tells when what it inherited at its start has changed since. */
	readonly isStale: () => boolean;
	readonly end: Session["end"];
};

/** Starts the processes of one server, each with its handshake, and knows all that are alive. */
export type Starter = {
	readonly breaker: Breaker;
	/** The protocol version that the server is asked for: the newest, unless it has refused that. */
	readonly version: () => string;
	/** `onFree` is called once, when the process itself has ended (or could not be started). */
	readonly start: (
		source: SessionSource,
		protocolVersion: string,
		onFree: () => void,
		correlation?: unknown,
	) => StartedSession;
	/** What is told to a caller that stops waiting for a start, with what the start that is furthest has written. */
	readonly whileStarting: InterruptedError;
	/** Remembers that starts happen ahead of the requests: advice to prewarm is then left out. */
	readonly prewarms: () => void;
	/** Makes the processes that are ending hurry. */
	readonly hurry: () => void;
	readonly isClosed: () => boolean;
	/** Ends every process and resolves when nothing is left of them. */
	readonly close: () => Promise<void>;
};

/** A start goes on when its caller's time is over, for the next caller; but a hung one must not cost everyone's. */
const mostDeadlinesLost = 3;

export function createStarter(
	params: ResolvedServerParams,
	observer: () => Observer | undefined,
	onHandshake: (protocolVersion: string, result: Record<string, unknown>) => void,
): Starter {
	const breaker = createBreaker(params.name);
	const alive = new Set<Session>();
	const starting = new Set<Session>();
	let isPrewarmed = false;
	let isRefused = false;
	let version: string = defaultProtocolVersion;
	const whileStarting = interruptedWhileStarting(
		params.name,
		() => starting.values().next().value?.startFacts(),
		() => isPrewarmed,
	);
	const ending = new Set<Session>();
	let closed = false;

	async function open(
		source: SessionSource,
		protocolVersion: string,
		onFree: () => void,
		correlation: unknown,
	): Promise<Session> {
		let session: Session | undefined;
		try {
			session = await startSession({
				params,
				source,
				handshake: initializeWith(protocolVersion, protocolVersion === version),
				onOtherVersion: (other) => {
					if (protocolVersion === version) version = other;
				},
				correlation,
				observer,
				onEnd: () => {
					if (session && alive.has(session)) ending.add(session);
				},
			});
		} catch (error) {
			onFree();
			throw error;
		}
		const opened = session;
		alive.add(opened);
		starting.add(opened);
		opened.ready.catch(() => {}).finally(() => starting.delete(opened));
		opened.exited.then(() => {
			ending.delete(opened);
			onFree();
		});
		opened.gone.then(() => alive.delete(opened));
		if (closed) opened.end("closed", true, closedError(params.name));
		return opened;
	}

	return {
		breaker,
		version: () => version,
		whileStarting,
		prewarms: () => {
			isPrewarmed = true;
		},
		start(source, protocolVersion, onFree, correlation) {
			const fingerprint = inheritedFingerprint(params);
			const traced = source === "fresh" && invocationTraceId() !== undefined;
			const isOwnVersion = protocolVersion === version;
			const opened = open(source, protocolVersion, onFree, correlation);
			let readySession: Session | undefined;
			const ready = opened.then(async (session) => {
				const result = await session.ready;
				onHandshake(protocolVersion, result);
				// It may have come to be initialised with another version than it was started for.
				if (isOwnVersion && version !== protocolVersion) onHandshake(version, result);
				// Where its own version was refused, the server is asked for one that a caller knew of.
				if (isRefused) version = protocolVersion;
				isRefused = false;
				readySession = session;
				return session;
			});
			ready.catch((error) => {
				if (serverErrorBehind(error) && isOwnVersion) isRefused = true;
			});
			breaker.watch(
				ready.then(
					() => "ready",
					(error: McpStdioError) =>
						// A version that a caller chose may be refused without anything being wrong with the server.
						error.code === "HANDSHAKE_FAILED" && (isOwnVersion || protocolVersion === version) ? error : "unknown",
				),
			);
			const end: Session["end"] = (...how) => {
				opened.then(
					(session) => session.end(...how),
					() => {},
				);
			};
			let waiting = 0;
			let deadlinesLost = 0;
			return {
				ready,
				async untilReady(signal) {
					waiting += 1;
					try {
						return await untilInterrupted(ready, signal, whileStarting);
					} catch (error) {
						if (signal.aborted && (signal.reason as Interruption).code === "TIMEOUT" && waiting === 1)
							deadlinesLost += 1;
						if (deadlinesLost === mostDeadlinesLost) {
							const facts = starting.values().next().value?.startFacts();
							end("handshake", true, hungHandshake(params.name, deadlinesLost, facts));
						}
						throw error;
					} finally {
						waiting -= 1;
					}
				},
				isGivenUp: () => deadlinesLost >= mostDeadlinesLost,
				session: () => readySession,
				isTraced: () => traced,
				isStale: () => fingerprint !== inheritedFingerprint(params),
				end,
			};
		},
		hurry() {
			for (const session of ending) session.end("closed", true);
		},
		isClosed: () => closed,
		async close() {
			closed = true;
			// One turn, so that a process whose start is under way is among them.
			await new Promise(setImmediate);
			for (const session of alive) session.end("closed", true, closedError(params.name));
			await Promise.all([...alive].map((session) => session.gone));
		},
	};
}
