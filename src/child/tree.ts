import { readFileSync } from "node:fs";
import { guardHostExit } from "../process/host-exit.ts";
import { listProcesses, type ProcessEntry, processesOfThisTurn, processTree, signalProcess } from "../process/table.ts";

/** A child process and everything it started. */
export type ServerTree = {
	/** The child leads its own session and process group, so this is their id too. */
	readonly pid: number;
	/** A value in the child's environment that is inherited by whatever it starts. */
	readonly mark: string;
	/** The child itself has been reaped: its pid may belong to someone else by now. */
	leaderExited: boolean;
};

/** The environment variable by which a process is recognised as ours even when its parent is dead and it has left the session. */
export const markName = "MCP_STDIO_LAMBDA_PROCESS";

// Not a secret, only unlikely to come twice: loading node:crypto would be a third of what importing this package costs.
const hostMark = `${process.pid}-${Math.random().toString(36).slice(2, 10)}`;
const live = new Set<ServerTree>();
let lastMark = 0;
let stopGuarding: (() => void) | undefined;

export function nextMark(): string {
	lastMark += 1;
	return `${hostMark}-${lastMark}.`;
}

/** Remembers a started child until `forgetTree`: it is killed when this process exits. */
export function rememberTree(pid: number, mark: string): ServerTree {
	const tree = { pid, mark, leaderExited: false };
	stopGuarding ??= guardHostExit(killAll);
	live.add(tree);
	// A timer may still start a process between the signal that ends this one and its end.
	if (isEnding) signalProcess(-pid, "SIGKILL");
	return tree;
}

export function forgetTree(tree: ServerTree): void {
	live.delete(tree);
	if (live.size > 0) return;
	stopGuarding?.();
	stopGuarding = undefined;
}

/** The processes that are alive in a tree. */
export function treeMembers(
	tree: ServerTree,
	entries: readonly ProcessEntry[] = processesOfThisTurn(),
): ProcessEntry[] {
	const reused = tree.leaderExited && entries.some((entry) => entry.pid === tree.pid && !entry.zombie);
	const related = reused ? [] : processTree(entries, tree.pid);
	const known = new Set(related.map((entry) => entry.pid));
	const own = entries.find((entry) => entry.pid === process.pid);
	const marked = entries.filter(
		(entry) =>
			!known.has(entry.pid) &&
			entry.pid !== process.pid &&
			entry.startTime >= (own?.startTime ?? 0) &&
			marksOf(entry, entries).includes(`${markName}=${tree.mark}`),
	);
	return [...related, ...marked].filter((entry) => !entry.zombie);
}

/** Signals a whole tree; a stopped process is continued, or it could not react. */
export function signalTree(tree: ServerTree, signal: "SIGTERM" | "SIGKILL"): void {
	const members = membersIfReadable(tree);
	if (!tree.leaderExited) signalProcess(-tree.pid, signal);
	for (const { pid } of members) {
		signalProcess(pid, signal);
		if (signal === "SIGTERM") signalProcess(pid, "SIGCONT");
	}
}

/** Without a file descriptor to read the process table with, the process group must do. */
function membersIfReadable(tree: ServerTree): ProcessEntry[] {
	try {
		return treeMembers(tree);
	} catch {
		return [];
	}
}

type Marks = { readonly startTime: number; readonly text: string };

/** What processes that were seen before have in their variables: that is read once for each, not once for each tree. */
const seen = new Map<number, Marks>();
let seenIn: readonly ProcessEntry[] | undefined;

function marksOf({ pid, startTime }: ProcessEntry, entries: readonly ProcessEntry[]): string {
	forgetGone(entries);
	const known = seen.get(pid);
	if (known && known.startTime === startTime && startTime !== 0) return known.text;
	const text = readMarks(pid);
	seen.set(pid, { startTime, text });
	return text;
}

function forgetGone(entries: readonly ProcessEntry[]): void {
	if (entries === seenIn) return;
	seenIn = entries;
	const alive = new Set(entries.map(({ pid }) => pid));
	for (const pid of seen.keys()) if (!alive.has(pid)) seen.delete(pid);
}

/** A process has the marks of whatever started it; those of other hosts may be among them. */
function readMarks(pid: number): string {
	try {
		const variables = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
		return variables.filter((variable) => variable.startsWith(`${markName}=`)).join("\0");
	} catch {
		return "";
	}
}

let isEnding = false;

/** After this time a host that was told to end, and has not, goes on. */
const endingMs = 2000;

function killAll(): void {
	isEnding = true;
	setTimeout(() => {
		isEnding = false;
	}, endingMs).unref();
	for (const tree of live) if (!tree.leaderExited) signalProcess(-tree.pid, "SIGKILL");
	const entries = listProcesses();
	for (const tree of live) {
		for (const { pid } of treeMembers(tree, entries)) signalProcess(pid, "SIGKILL");
	}
}
