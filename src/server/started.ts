import { inheritedFingerprint, invocationTraceId } from "../child/variables.ts";
import { type Interruption, untilInterrupted } from "../deadline.ts";
import type { SessionSource } from "../observer.ts";
import type { ResolvedServerParams } from "../params.ts";
import type { Session } from "../session/session.ts";
import type { StartFacts } from "../session/start-facts.ts";
import { hungHandshake, type InterruptedError } from "./failures.ts";

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

export type StartedSessionOptions = {
	readonly params: ResolvedServerParams;
	readonly source: SessionSource;
	/** Starts the process; called once, at once. */
	readonly open: () => Promise<Session>;
	/** Waits for the session's handshake, and takes note of what comes of it. */
	readonly shakeHands: (session: Session) => Promise<void>;
	readonly whileStarting: InterruptedError;
	readonly startFacts: () => StartFacts | undefined;
};

/** A start goes on when its caller's time is over, for the next caller; but a hung one must not cost everyone's. */
const mostDeadlinesLost = 3;

export function createStartedSession(options: StartedSessionOptions): StartedSession {
	const { params, source, shakeHands, whileStarting } = options;
	const fingerprint = inheritedFingerprint(params);
	const isTraced = source === "fresh" && invocationTraceId() !== undefined;
	let readySession: Session | undefined;
	let waiting = 0;
	let deadlinesLost = 0;

	const opened = options.open();
	const ready = opened.then(async (session) => {
		await shakeHands(session);
		readySession = session;
		return session;
	});
	ready.catch(() => {});

	function end(...how: Parameters<Session["end"]>): void {
		opened.then(
			(session) => session.end(...how),
			() => {},
		);
	}

	return {
		ready,
		async untilReady(signal) {
			waiting += 1;
			try {
				return await untilInterrupted(ready, signal, whileStarting);
			} catch (error) {
				const isLate = signal.aborted && (signal.reason as Interruption).code === "TIMEOUT";
				if (isLate && waiting === 1) deadlinesLost += 1;
				if (deadlinesLost === mostDeadlinesLost) {
					end("handshake", true, hungHandshake(params.name, deadlinesLost, options.startFacts()));
				}
				throw error;
			} finally {
				waiting -= 1;
			}
		},
		isGivenUp: () => deadlinesLost >= mostDeadlinesLost,
		session: () => readySession,
		isTraced: () => isTraced,
		isStale: () => fingerprint !== inheritedFingerprint(params),
		end,
	};
}
