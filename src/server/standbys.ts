import type { McpStdioError } from "../errors.ts";
import type { Slots } from "./slots.ts";
import type { StartedSession } from "./started.ts";
import type { Starter } from "./starter.ts";

/** The processes of the lifetime "request" that wait unused, in the order of their start. */
export type Standbys = {
	/** How many there are to be, and the cap that they share with the processes at work. */
	readonly want: (wanted: Wanted) => void;
	/** Starts those that are missing, as far as the cap allows. */
	readonly refill: () => void;
	/** The same, after a while; a later call counts from anew. */
	readonly refillIn: (ms: number) => void;
	readonly cancelRefill: () => void;
	/** Must be called when a process has gone. */
	readonly freeSlot: () => void;
	/** Resolves when no standby is on its way: all are ready, or have failed, and no refill is due. */
	readonly settled: () => Promise<void>;
	/** The one that is furthest, which from then on is the caller's. */
	readonly take: () => StartedSession | undefined;
	/** Makes a process that serves nobody one of them; `false` when there are enough. */
	readonly keep: (started: StartedSession) => boolean;
	readonly all: () => readonly StartedSession[];
	/** Waits until one is ready. Its failure is then its caller's to report. */
	readonly untilReady: (standby: StartedSession, signal: AbortSignal) => Promise<void>;
	/** Ends one that idles, for a process that is needed for something else. */
	readonly makeWay: () => void;
	readonly close: () => void;
};

type Wanted = { readonly standby: number; readonly maxProcesses: number };

/** A process that has ended frees its slot a little before the next answer is asked for. */
const refillWhenFreeMs = 5;

export function createStandbys(
	starter: Starter,
	slots: Slots<StartedSession>,
	onFailure: (error: McpStdioError) => void,
): Standbys {
	const standbys: StartedSession[] = [];
	/** Those whose start a caller waits for, which then reports its failure. */
	const awaited = new Set<StartedSession>();
	let wanted: Wanted = { standby: 0, maxProcesses: 1 };
	let refillTimer: NodeJS.Timeout | undefined;
	/** Processes that were ending held all slots when a standby should have been started. */
	let refillWhenFree = false;
	const onRefilled: (() => void)[] = [];

	function cancelRefill(): void {
		clearTimeout(refillTimer);
		refillTimer = undefined;
		for (const tell of onRefilled.splice(0)) tell();
	}

	function remove(standby: StartedSession): boolean {
		const index = standbys.indexOf(standby);
		if (index !== -1) standbys.splice(index, 1);
		return index !== -1;
	}

	function add(standby: StartedSession): void {
		standbys.push(standby);
		standby.ready.then(
			(session) => session.exited.then(() => remove(standby)),
			(error: McpStdioError) => {
				// The caller that has taken it or waits for it reports its failure; without one it would go unheard.
				if (remove(standby) && !awaited.has(standby) && !starter.isClosed()) onFailure(error);
			},
		);
	}

	function startOne(): boolean {
		if (starter.isClosed() || starter.breaker.isPausing() || standbys.length >= wanted.standby) return false;
		if (!slots.tryAcquire(wanted.maxProcesses)) {
			refillWhenFree = true;
			return false;
		}
		add(starter.start("standby", starter.version(), freeSlot));
		return true;
	}

	function refill(): void {
		while (startOne());
		cancelRefill();
	}

	function refillIn(ms: number): void {
		clearTimeout(refillTimer);
		refillTimer = setTimeout(refill, ms).unref();
	}

	function freeSlot(): void {
		slots.release();
		if (!refillWhenFree) return;
		refillWhenFree = false;
		refillIn(refillWhenFreeMs);
	}

	return {
		want: (given) => {
			wanted = given;
		},
		refill,
		refillIn,
		cancelRefill,
		freeSlot,
		async settled() {
			if (refillTimer) await new Promise<void>((resolve) => onRefilled.push(resolve));
			await Promise.allSettled(standbys.map(({ ready }) => ready));
		},
		take: () => standbys.shift(),
		keep(started) {
			if (standbys.length >= wanted.standby) return false;
			add(started);
			return true;
		},
		all: () => standbys,
		async untilReady(standby, signal) {
			awaited.add(standby);
			try {
				await standby.untilReady(signal);
			} finally {
				awaited.delete(standby);
			}
		},
		makeWay() {
			const idle = standbys.find((candidate) => candidate.session() !== undefined);
			if (!idle) return;
			remove(idle);
			idle.end("closed", true);
		},
		close() {
			cancelRefill();
			standbys.splice(0);
		},
	};
}
