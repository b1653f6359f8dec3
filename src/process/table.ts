import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** One row of the process table. */
export type ProcessEntry = {
	readonly pid: number;
	readonly parentPid: number;
	readonly groupId: number;
	readonly sessionId: number;
	/** When it started, in clock ticks since boot (0 where the platform does not say): with `pid` it names one process for good. */
	readonly startTime: number;
	/** A zombie holds nothing any more, and no signal has an effect on it. */
	readonly zombie: boolean;
};

/**
 * The process table: from /proc on Linux, from `ps` elsewhere. Synchronous, because a table read over many turns of the
 * event loop is of no one moment, and because it must work while the host process exits (a few µs a process). Throws when the table cannot be read (EMFILE).
 */
export function listProcesses(): ProcessEntry[] {
	return process.platform === "linux" ? listFromProc() : listFromPs();
}

let thisTurn: readonly ProcessEntry[] | undefined;

/** The process table as it was read in this turn of the event loop: many trees that are looked at together cost one reading. */
export function processesOfThisTurn(): readonly ProcessEntry[] {
	if (!thisTurn) {
		thisTurn = listProcesses();
		setImmediate(() => {
			thisTurn = undefined;
		}).unref();
	}
	return thisTurn;
}

/**
 * `rootPid` itself and everything below it: children of children, and whatever shares its session or process group (a
 * process whose parent has died is found that way).
 */
export function processTree(entries: readonly ProcessEntry[], rootPid: number): ProcessEntry[] {
	const childrenOf = new Map<number, ProcessEntry[]>();
	for (const entry of entries) {
		const siblings = childrenOf.get(entry.parentPid);
		if (siblings) siblings.push(entry);
		else childrenOf.set(entry.parentPid, [entry]);
	}
	const found = new Map<number, ProcessEntry>();
	const visit = (entry: ProcessEntry): void => {
		if (found.has(entry.pid)) return;
		found.set(entry.pid, entry);
		for (const child of childrenOf.get(entry.pid) ?? []) visit(child);
	};
	for (const entry of entries) {
		if (entry.pid === rootPid || entry.groupId === rootPid || entry.sessionId === rootPid) visit(entry);
	}
	return [...found.values()];
}

/** Sends a signal to a process, or to a whole group when `pid` is negative; `false` when there is none to receive it. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
	try {
		return process.kill(pid, signal);
	} catch {
		return false;
	}
}

function listFromProc(): ProcessEntry[] {
	const entries: ProcessEntry[] = [];
	for (const name of readdirSync("/proc")) {
		const first = name.charCodeAt(0);
		if (first < 48 || first > 57) continue;
		try {
			entries.push(parseStat(readFileSync(`/proc/${name}/stat`, "latin1")));
		} catch (error) {
			// It ended while the table was read; anything else (EMFILE) would make a living process look dead.
			const { code } = error as NodeJS.ErrnoException;
			if (code !== "ENOENT" && code !== "ESRCH") throw error;
		}
	}
	return entries;
}

// https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: "pid (comm) state ppid pgrp session …", starttime is
// field 22; comm may hold spaces and brackets.
function parseStat(stat: string): ProcessEntry {
	const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
	return {
		pid: Number.parseInt(stat, 10),
		parentPid: Number(fields[1]),
		groupId: Number(fields[2]),
		sessionId: Number(fields[3]),
		startTime: Number(fields[19]),
		zombie: fields[0] === "Z" || fields[0] === "X",
	};
}

function listFromPs(): ProcessEntry[] {
	return execFileSync("ps", ["-Ao", "pid=,ppid=,pgid=,stat="], { encoding: "utf8" })
		.split("\n")
		.filter((line) => line.trim() !== "")
		.map((line) => {
			const [pid, parentPid, groupId, state] = line.trim().split(/\s+/);
			return {
				pid: Number(pid),
				parentPid: Number(parentPid),
				groupId: Number(groupId),
				sessionId: 0,
				startTime: 0,
				zombie: state?.startsWith("Z") ?? false,
			};
		});
}
