import type { SessionSource } from "../observer.ts";
import type { Session } from "../session/session.ts";

/** The right to use a session for one request. */
export type Lease = {
	readonly session: Session;
	/** Where it came from: a standby only if it was ready when the request came. */
	readonly source: SessionSource;
	/** Must be called when the request has been sent: from here on there may be time to prepare for the next. */
	readonly sent: () => void;
	/** Must be called when the request is over, however it ended. */
	readonly release: (interrupted: boolean) => void;
};

const idleBeforeCheckMs = 1000;

/** Whether a session can take a request at once, with nothing to wait for. */
export function isUsableNow(session: Session): boolean {
	return session.isOpen() && !session.isDoubted() && !hasIdled(session);
}

/**
 * Gives the event loop one turn after a long silence: a process may have died while the whole environment was frozen, and
 * its exit must be noticed before a request is given to it.
 */
export async function checkAfterIdling(session: Session): Promise<void> {
	if (hasIdled(session)) await new Promise(setImmediate);
}

function hasIdled(session: Session): boolean {
	return performance.now() - session.lastActiveAt() > idleBeforeCheckMs;
}
