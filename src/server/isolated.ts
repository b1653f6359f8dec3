import type { McpStdioError } from "../errors.ts";
import type { ResolvedLifetimeOptions } from "../options.ts";
import type { Session } from "../session/session.ts";
import { closedError, interruptedWhileQueued } from "./failures.ts";
import { checkAfterIdling, type Lease } from "./lease.ts";
import { createSlots } from "./slots.ts";
import { createStandbys } from "./standbys.ts";
import type { StartedSession } from "./started.ts";
import type { Starter } from "./starter.ts";

/** The lifetime "request": a process for each request, and standbys for those to come. */
export type Isolated = {
	readonly lease: (options: ResolvedLifetimeOptions, signal: AbortSignal) => Promise<Lease>;
	/** Starts the standbys that are missing and waits until all are ready. */
	readonly prewarm: (options: ResolvedLifetimeOptions, signal: AbortSignal) => Promise<void>;
	/** Starts a process only for its handshake. A standby may as well do it, and is then kept waiting. */
	readonly shakeHands: (
		protocolVersion: string,
		options: ResolvedLifetimeOptions,
		signal: AbortSignal,
	) => Promise<void>;
	/** Starts the standbys that are missing. */
	readonly refill: () => void;
	/** Resolves when no standby is on its way. */
	readonly settled: () => Promise<void>;
	readonly close: () => void;
};

type Leased = Pick<Lease, "session" | "source">;

/** A request that takes this long leaves time to start the next standby meanwhile; else that happens this long after the answer. */
const refillWhileBusyMs = 20;
const refillAfterAnswerMs = 5;

export function createIsolated(
	server: string,
	starter: Starter,
	onStandbyFailure: (error: McpStdioError) => void,
): Isolated {
	// Processes that have answered and are ending count too: with a caller that waits they have to hurry.
	const slots = createSlots<StartedSession>(starter.hurry);
	const standbys = createStandbys(starter, slots, onStandbyFailure);
	const { whileStarting } = starter;
	const whileQueued = interruptedWhileQueued(server);

	/** A process whose caller gave up while it started has served no request yet: the next one in the queue may have it. */
	function giveBack(started: StartedSession): void {
		if (started.isGivenUp()) return;
		// It would work under the trace of the request that it was started for: a new one takes its place.
		const isUsable = !starter.isClosed() && !started.isTraced();
		if (isUsable && slots.give(started)) return;
		if (!isUsable || !standbys.keep(started)) started.end("cancelled", true);
		standbys.refillIn(refillAfterAnswerMs);
	}

	async function untilReady(started: StartedSession, signal: AbortSignal): Promise<Session> {
		try {
			return await started.untilReady(signal);
		} catch (error) {
			if (signal.aborted) giveBack(started);
			throw error;
		}
	}

	/** The standby that is furthest; those that have died or have old credentials are left out. */
	async function takeStandby(signal: AbortSignal): Promise<Leased | undefined> {
		for (let standby = standbys.take(); standby; standby = standbys.take()) {
			if (standby.isStale()) {
				standby.end("stale");
				continue;
			}
			const source = standby.session() ? "standby" : "fresh";
			try {
				const session = await untilReady(standby, signal);
				await checkAfterIdling(session);
				if (session.isOpen()) return { session, source };
			} catch (error) {
				if (signal.aborted) throw error;
			}
		}
		return undefined;
	}

	/** A process that has served no request: given by a caller that gave it up, or started as soon as the cap allows. */
	async function obtain(
		protocolVersion: string,
		{ maxProcesses, correlation }: ResolvedLifetimeOptions,
		signal: AbortSignal,
	): Promise<StartedSession> {
		const takesGiven = protocolVersion === starter.version();
		if (!takesGiven && slots.isFull(maxProcesses)) standbys.makeWay();
		const given = await slots.acquire(maxProcesses, signal, whileQueued, takesGiven);
		if (given) return given;
		try {
			return await starter.breaker.admit(signal, whileStarting, () => {
				if (starter.isClosed()) throw closedError(server);
				return starter.start("fresh", protocolVersion, standbys.freeSlot, correlation);
			});
		} catch (error) {
			slots.release();
			throw error;
		}
	}

	async function takeFresh(options: ResolvedLifetimeOptions, signal: AbortSignal): Promise<Leased> {
		const session = await untilReady(await obtain(starter.version(), options, signal), signal);
		return { session, source: "fresh" };
	}

	return {
		async lease(options, signal) {
			standbys.want(options);
			standbys.cancelRefill();
			const { session, source } = (await takeStandby(signal)) ?? (await takeFresh(options, signal));
			return {
				session,
				source,
				sent: () => standbys.refillIn(refillWhileBusyMs),
				release: (interrupted) => {
					session.end(interrupted ? "cancelled" : "answered", interrupted || slots.waiting() > 0);
					standbys.refillIn(refillAfterAnswerMs);
				},
			};
		},
		async prewarm(options, signal) {
			standbys.want(options);
			standbys.refill();
			if (standbys.all().length === 0 && options.standby > 0) {
				await starter.breaker.admit(signal, whileStarting, () => {});
			}
			await Promise.all(standbys.all().map((standby) => standbys.untilReady(standby, signal)));
		},
		async shakeHands(protocolVersion, options, signal) {
			standbys.want(options);
			if (protocolVersion === starter.version()) {
				standbys.refill();
				const [standby] = standbys.all();
				if (standby) {
					await standbys.untilReady(standby, signal);
					return;
				}
			}
			const started = await obtain(protocolVersion, options, signal);
			try {
				await started.untilReady(signal);
			} finally {
				started.end("closed", signal.aborted);
			}
		},
		refill: standbys.refill,
		settled: standbys.settled,
		close() {
			slots.cancel(closedError(server));
			standbys.close();
		},
	};
}
