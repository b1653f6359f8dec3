import type { McpStdioError } from "../errors.ts";
import type { Observer, SessionSource } from "../observer.ts";
import type { ResolvedServerParams } from "../params.ts";
import { initializeWith } from "../session/handshake.ts";
import { serverErrorBehind } from "../session/refusal.ts";
import { type Session, startSession } from "../session/session.ts";
import type { StartFacts } from "../session/start-facts.ts";
import { type Breaker, createBreaker } from "./breaker.ts";
import { closedError, type InterruptedError, interruptedWhileStarting } from "./failures.ts";
import { defaultProtocolVersion } from "./initialize-results.ts";
import { createStartedSession, type StartedSession } from "./started.ts";

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
	const startFacts = (): StartFacts | undefined => starting.values().next().value?.startFacts();
	const whileStarting = interruptedWhileStarting(params.name, startFacts, () => isPrewarmed);
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

	function remember(askedVersion: string, wasOwnVersion: boolean, result: Record<string, unknown>): void {
		onHandshake(askedVersion, result);
		// It may have come to be initialised with another version than it was started for.
		if (wasOwnVersion && version !== askedVersion) onHandshake(version, result);
		// Where its own version was refused, the server is asked for one that a caller knew of.
		if (isRefused) version = askedVersion;
		isRefused = false;
	}

	function watch(ready: Promise<unknown>, askedVersion: string, wasOwnVersion: boolean): void {
		const outcome = ready.then(
			() => "ready" as const,
			(error: McpStdioError) => {
				if (wasOwnVersion && serverErrorBehind(error)) isRefused = true;
				// A version that a caller chose may be refused without anything being wrong with the server.
				const isServers = wasOwnVersion || askedVersion === version;
				return error.code === "HANDSHAKE_FAILED" && isServers ? error : "unknown";
			},
		);
		breaker.watch(outcome);
	}

	return {
		breaker,
		version: () => version,
		whileStarting,
		prewarms: () => {
			isPrewarmed = true;
		},
		start(source, protocolVersion, onFree, correlation) {
			const isOwnVersion = protocolVersion === version;
			const started = createStartedSession({
				params,
				source,
				open: () => open(source, protocolVersion, onFree, correlation),
				shakeHands: async (session) => remember(protocolVersion, isOwnVersion, await session.ready),
				whileStarting,
				startFacts,
			});
			watch(started.ready, protocolVersion, isOwnVersion);
			return started;
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
