import type { McpStdioError } from "../errors.ts";
import type { ResolvedLifetimeOptions } from "../options.ts";
import type { Session } from "../session/session.ts";
import { closedError, interruptedWhileQueued } from "./failures.ts";
import { checkAfterIdling, type Lease } from "./lease.ts";
import { createSlots } from "./slots.ts";
import type { StartedSession, Starter } from "./starter.ts";

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
	readonly waiting: () => number;
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
	// Processes that have answered and are ending count too: with someone waiting they have to hurry.
	const slots = createSlots<StartedSession>(starter.hurry);
	const standbys: StartedSession[] = [];
	/** Standbys whose start someone waits for, who then reports its failure. */
	const awaited = new Set<StartedSession>();
	const { whileStarting } = starter;
	const whileQueued = interruptedWhileQueued(server);
	let wanted: { standby: number; maxProcesses: number } = { standby: 0, maxProcesses: 1 };
	let refillTimer: NodeJS.Timeout | undefined;
	/** Processes that were ending held all slots when a standby should have been started. */
	let refillWhenFree = false;

	function freeSlot(): void {
		slots.release();
		if (!refillWhenFree) return;
		refillWhenFree = false;
		refillIn(refillAfterAnswerMs);
	}

	function removeStandby(standby: StartedSession): boolean {
		const index = standbys.indexOf(standby);
		if (index !== -1) standbys.splice(index, 1);
		return index !== -1;
	}

	function addStandby(standby: StartedSession): void {
		standbys.push(standby);
		standby.ready.then(
			(session) => session.exited.then(() => removeStandby(standby)),
			(error: McpStdioError) => {
				// Whoever has taken it or waits for it reports its failure; else nobody would.
				if (removeStandby(standby) && !awaited.has(standby) && !starter.isClosed()) onStandbyFailure(error);
			},
		);
	}

	function startStandby(): boolean {
		if (starter.isClosed() || starter.breaker.isPausing() || standbys.length >= wanted.standby) return false;
		if (!slots.tryAcquire(wanted.maxProcesses)) {
			refillWhenFree = true;
			return false;
		}
		addStandby(starter.start("standby", starter.version(), freeSlot));
		return true;
	}

	function refillIn(ms: number): void {
		clearTimeout(refillTimer);
		refillTimer = setTimeout(() => {
			while (startStandby());
		}, ms).unref();
	}

	/** A process whose caller gave up while it started has served no request yet: the next one in the queue may have it. */
	function giveBack(started: StartedSession): void {
		if (started.isGivenUp()) return;
		// It would work under the trace of the request that it was started for: a new one takes its place.
		const isUsable = !starter.isClosed() && !started.isTraced();
		if (isUsable && slots.give(started)) return;
		if (isUsable && standbys.length < wanted.standby) addStandby(started);
		else started.end("cancelled", true);
		refillIn(refillAfterAnswerMs);
	}

	async function untilReady(started: StartedSession, signal: AbortSignal): Promise<Session> {
		try {
			return await started.untilReady(signal);
		} catch (error) {
			if (signal.aborted) giveBack(started);
			throw error;
		}
	}

	async function untilStandbyIsReady(standby: StartedSession, signal: AbortSignal): Promise<void> {
		awaited.add(standby);
		try {
			await standby.untilReady(signal);
		} finally {
			awaited.delete(standby);
		}
	}

	/** The standby that is furthest; those that have died or have old credentials are left out. */
	async function takeStandby(signal: AbortSignal): Promise<Leased | undefined> {
		for (let standby = standbys.shift(); standby; standby = standbys.shift()) {
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

	async function startFresh(
		protocolVersion: string,
		{ maxProcesses, correlation }: ResolvedLifetimeOptions,
		signal: AbortSignal,
	): Promise<StartedSession> {
		const takesGiven = protocolVersion === starter.version();
		if (!takesGiven && slots.isFull(maxProcesses)) makeWay();
		const given = await slots.acquire(maxProcesses, signal, whileQueued, takesGiven);
		if (given) return given;
		let started: StartedSession | undefined;
		try {
			started = await starter.breaker.admit(signal, whileStarting, () => {
				if (starter.isClosed()) throw closedError(server);
				return starter.start("fresh", protocolVersion, freeSlot, correlation);
			});
			return started;
		} finally {
			if (!started) slots.release();
		}
	}

	/** A standby that idles gives way to a process that is needed for something else. */
	function makeWay(): void {
		const standby = standbys.find((candidate) => candidate.session() !== undefined);
		if (!standby) return;
		removeStandby(standby);
		standby.end("closed", true);
	}

	async function takeFresh(options: ResolvedLifetimeOptions, signal: AbortSignal): Promise<Leased> {
		const started = await startFresh(starter.version(), options, signal);
		return { session: await untilReady(started, signal), source: "fresh" };
	}

	return {
		async lease(options, signal) {
			wanted = options;
			clearTimeout(refillTimer);
			const { session, source } = (await takeStandby(signal)) ?? (await takeFresh(options, signal));
			return {
				session,
				source,
				sent: () => refillIn(refillWhileBusyMs),
				release: (interrupted) => {
					session.end(interrupted ? "cancelled" : "answered", interrupted || slots.waiting() > 0);
					refillIn(refillAfterAnswerMs);
				},
			};
		},
		async prewarm(options, signal) {
			wanted = options;
			while (startStandby());
			if (standbys.length === 0 && options.standby > 0) await starter.breaker.admit(signal, whileStarting, () => {});
			await Promise.all(standbys.map((standby) => untilStandbyIsReady(standby, signal)));
		},
		async shakeHands(protocolVersion, options, signal) {
			wanted = options;
			if (protocolVersion === starter.version()) {
				startStandby();
				const [standby] = standbys;
				if (standby) {
					await untilStandbyIsReady(standby, signal);
					return;
				}
			}
			const started = await startFresh(protocolVersion, options, signal);
			try {
				await started.untilReady(signal);
			} finally {
				started.end("closed", signal.aborted);
			}
		},
		waiting: slots.waiting,
		close() {
			clearTimeout(refillTimer);
			slots.cancel(closedError(server));
			standbys.splice(0);
		},
	};
}
