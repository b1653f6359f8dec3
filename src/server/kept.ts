import { untilInterrupted } from "../deadline.ts";
import type { ResolvedLifetimeOptions } from "../options.ts";
import type { Session } from "../session/session.ts";
import { closedError } from "./failures.ts";
import { checkAfterIdling, isUsableNow, type Lease } from "./lease.ts";
import type { StartedSession } from "./started.ts";
import type { Starter } from "./starter.ts";

/** The lifetime "environment": one process for all requests, for as long as it is healthy. */
export type Kept = {
	readonly lease: (options: ResolvedLifetimeOptions, signal: AbortSignal) => Promise<Lease>;
	/** Starts the process where there is none, and waits until it is ready. */
	readonly open: (options: ResolvedLifetimeOptions, signal: AbortSignal) => Promise<Session>;
	readonly close: () => void;
};

export function createKept(server: string, starter: Starter): Kept {
	const { whileStarting } = starter;
	const leases = new Map<Session, number>();
	let current: StartedSession | undefined;

	async function open(options: ResolvedLifetimeOptions, signal: AbortSignal): Promise<Session> {
		const session = current?.session();
		if (session && isUsableNow(session) && !current?.isStale()) return session;
		return await openSlowly(options.correlation, signal);
	}

	async function openSlowly(correlation: unknown, signal: AbortSignal): Promise<Session> {
		for (;;) {
			if (starter.isClosed()) throw closedError(server);
			if (current?.isStale()) retire(current);
			const started =
				current ??
				(await starter.breaker.admit(signal, whileStarting, () => {
					if (starter.isClosed()) throw closedError(server);
					current ??= startKept(correlation);
					return current;
				}));
			try {
				const session = await started.untilReady(signal);
				await checkAfterIdling(session);
				await untilInterrupted(session.trusted(), signal, whileStarting);
				if (session.isOpen()) return session;
			} catch (error) {
				// A start outlives the caller that asked for it: the next one needs it too.
				if (current === started && (!signal.aborted || started.isGivenUp())) current = undefined;
				throw error;
			}
			if (current === started) current = undefined;
		}
	}

	function startKept(correlation: unknown): StartedSession {
		const started = starter.start("kept", starter.version(), () => {}, correlation);
		// Also when nobody waits: the next request must not be told of a failure long past.
		started.ready.catch(() => {
			if (current === started) current = undefined;
		});
		return started;
	}

	/** Requests that are under way may end on the old process. */
	function retire(started: StartedSession): void {
		current = undefined;
		started.ready
			.then((session) => {
				if (!leases.has(session)) session.end("stale");
			})
			.catch(() => {});
	}

	return {
		open,
		async lease(options, signal) {
			const session = await open(options, signal);
			leases.set(session, (leases.get(session) ?? 0) + 1);
			return {
				session,
				source: "kept",
				sent: () => {},
				release: () => {
					const left = (leases.get(session) ?? 1) - 1;
					if (left > 0) {
						leases.set(session, left);
						return;
					}
					leases.delete(session);
					if (current?.session() !== session) session.end("stale");
				},
			};
		},
		close() {
			current = undefined;
		},
	};
}
