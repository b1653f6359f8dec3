import type { McpStdioError } from "../errors.ts";
import type { Observer, SessionSource } from "../observer.ts";
import { type Breaker, createBreaker } from "./breaker.ts";
import { inheritedFingerprint } from "./environment.ts";
import { closedError } from "./failures.ts";
import type { ResolvedServerParams } from "./params.ts";
import { type Session, startSession } from "./session.ts";

/** A process on its way to being ready. */
export type StartedSession = {
	/** Resolves when the handshake is done; rejects with what went wrong. Never unhandled. */
	readonly ready: Promise<Session>;
	/** The session, once it is ready. */
	readonly session: () => Session | undefined;
	/** Tells when what it inherited at its start has changed since. */
	readonly isStale: () => boolean;
	readonly end: Session["end"];
};

/** Starts the processes of one server, each with its handshake, and knows all that are alive. */
export type Starter = {
	readonly breaker: Breaker;
	/** `onFree` is called once, when the process itself has ended (or could not be started). */
	readonly start: (
		source: SessionSource,
		protocolVersion: string,
		onFree: () => void,
		correlation?: unknown,
	) => StartedSession;
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
				protocolVersion,
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
		start(source, protocolVersion, onFree, correlation) {
			const fingerprint = inheritedFingerprint(params);
			const opened = open(source, protocolVersion, onFree, correlation);
			let readySession: Session | undefined;
			const ready = opened.then(async (session) => {
				onHandshake(protocolVersion, await session.ready);
				readySession = session;
				return session;
			});
			breaker.watch(
				ready.then(
					() => "ready",
					(error: McpStdioError) => (error.code === "HANDSHAKE_FAILED" ? error : "unknown"),
				),
			);
			return {
				ready,
				session: () => readySession,
				isStale: () => fingerprint !== inheritedFingerprint(params),
				end: (...how) => {
					opened.then(
						(session) => session.end(...how),
						() => {},
					);
				},
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
