import { readFileSync } from "node:fs";
import { listProcesses, type ProcessEntry, processTree, signalProcess } from "../../process/table.ts";

/**
 * Every process of one execution environment: the runtime, what it started, and what that started, in whatever process
 * group or session, also when the parent has died since.
 */
export type EnvironmentTree = {
	/** Looks into the process table, so that a process is still known when it loses its parent later. */
	observe(table: readonly ProcessEntry[]): void;
	/** Stops every process (SIGSTOP), which it returns; none runs then. */
	freeze(): readonly number[];
	/** Lets the stopped processes, which it returns, run on (SIGCONT). */
	thaw(): readonly number[];
	/** Ends every process (SIGKILL, which a stopped process obeys as well). */
	kill(): void;
	/** Whether one of them is left; a zombie is not. */
	isAlive(): boolean;
	/** The most memory that they have had at once, as far as it was looked at; `undefined` where it cannot be told. */
	readMaxMemoryMb(): number | undefined;
};

/** Told when a process is seen for the first time, and when it is seen no more. */
export type ProcessListener = (event: {
	readonly type: "processStarted" | "processEnded";
	readonly pid: number;
}) => void;

// A fork bomb can start processes faster than they are found: then some stay running.
const maxWalks = 20;

/**
 * @param rootPid a process that leads its own group and session
 * @param marks strings that only this environment's processes have in their environment variables: a process that was
 *   orphaned before any look at the process table is found by them (Linux only)
 * @param hasRootExited from then on its pid may be another process's
 */
export function createEnvironmentTree(
	rootPid: number,
	marks: readonly string[],
	hasRootExited: () => boolean,
	onProcess: ProcessListener,
): EnvironmentTree {
	const known = new Map<number, ProcessEntry>();
	const learn = (entry: ProcessEntry): void => {
		known.set(entry.pid, entry);
		onProcess({ type: "processStarted", pid: entry.pid });
	};
	let rootStart: number | undefined;

	/** The living members; adds the new ones to `known` and drops those that ended. */
	const walk = (table: readonly ProcessEntry[] = listProcesses()): ProcessEntry[] => {
		const byPid = new Map(table.map((entry) => [entry.pid, entry]));
		const isKnown = (entry: ProcessEntry | undefined): boolean =>
			entry !== undefined && known.get(entry.pid)?.startTime === entry.startTime;
		const root = byPid.get(rootPid);
		rootStart ??= root?.startTime;
		const roots = [...known.keys()].filter((pid) => pid !== rootPid && isKnown(byPid.get(pid)));
		// A group outlives its leader, and its id is not given to another process before the group is empty.
		if (root === undefined || root.startTime === rootStart) roots.push(rootPid);
		const found = new Map<number, ProcessEntry>();
		for (const pid of roots) for (const entry of processTree(table, pid)) found.set(entry.pid, entry);
		for (const { pid, startTime } of [...known.values()]) {
			const entry = found.get(pid);
			if (entry?.startTime === startTime && !entry.zombie) continue;
			known.delete(pid);
			onProcess({ type: "processEnded", pid });
		}
		for (const entry of found.values()) if (!entry.zombie && !known.has(entry.pid)) learn(entry);
		return [...known.values()];
	};

	const findStrays = (): void => {
		if (process.platform !== "linux") return;
		for (const entry of listProcesses()) {
			if (!entry.zombie && !known.has(entry.pid) && entry.pid !== process.pid && carriesMark(entry.pid, marks)) {
				learn(entry);
			}
		}
	};

	const freeze = (): readonly number[] => {
		const stopped = new Map<number, number>();
		const stop = (entry: ProcessEntry): boolean => {
			if (stopped.get(entry.pid) === entry.startTime) return false;
			stopped.set(entry.pid, entry.startTime);
			return signalProcess(entry.pid, "SIGSTOP");
		};
		const root = known.get(rootPid);
		if (root && !hasRootExited()) stop(root);
		for (let walks = 0; walks < maxWalks; walks++) {
			// What starts between two walks is a child of a process that was not yet stopped at the first one.
			if (walk().filter(stop).length === 0) break;
		}
		return [...known.keys()];
	};

	let peakKb = 0;
	const measure = (): void => {
		const usedKb = [...known.keys()].reduce((sum, pid) => sum + memoryKb(pid), 0);
		peakKb = Math.max(peakKb, usedKb);
	};

	walk();
	return {
		observe: (table) => {
			walk(table);
			measure();
		},
		readMaxMemoryMb: () => {
			if (!hasRootExited()) {
				walk();
				measure();
			}
			return peakKb === 0 ? undefined : Math.round(peakKb / 1024);
		},
		freeze,
		thaw: () => {
			const pids = [...known.keys()];
			for (const pid of pids) signalProcess(pid, "SIGCONT");
			return pids;
		},
		kill: () => {
			freeze();
			findStrays();
			for (const pid of known.keys()) signalProcess(pid, "SIGKILL");
		},
		isAlive: () => walk().length > 0,
	};
}

/** What a process has in memory; shared pages count for each, as they do for Lambda's limit in part. */
function memoryKb(pid: number): number {
	if (process.platform !== "linux") return 0;
	try {
		const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
		return Number(resident ?? 0);
	} catch {
		return 0;
	}
}

function carriesMark(pid: number, marks: readonly string[]): boolean {
	try {
		const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
		return marks.some((mark) => environment.includes(mark));
	} catch {
		return false;
	}
}
