import { type ProcessEntry, processesOfThisTurn } from "../process/table.ts";
import { startAwakeTimer } from "./awake-timer.ts";
import { type ServerTree, signalTree, treeMembers } from "./tree.ts";

type Sweep = {
	readonly tree: ServerTree;
	readonly onGone: () => void;
	signalled: "SIGTERM" | "SIGKILL" | undefined;
	ticks: number;
};

const everyMs = 25;

/** On a host with very many processes a look takes long: then they come further apart, so that it stays a small part. */
const mostOfTheTime = 1 / 20;
const ticksBeforeKill = 20;

const sweeps = new Set<Sweep>();
let isLookDue = false;
let lastLookMs = 0;

/**
 * Calls back once nothing is left of a tree whose leader has exited. What it left behind (a grandchild, a wrapper's real
 * server) gets SIGTERM and, half a second later, SIGKILL. One look at the process table serves all trees that wait.
 */
export function whenTreeIsGone(tree: ServerTree, onGone: () => void): void {
	sweeps.add({ tree, onGone, signalled: undefined, ticks: 0 });
	lookSoon();
}

function look(): void {
	isLookDue = false;
	const began = performance.now();
	const entries = readTable();
	lastLookMs = performance.now() - began;
	if (!entries) {
		lookSoon();
		return;
	}
	for (const sweep of sweeps) {
		if (treeMembers(sweep.tree, entries).length === 0) {
			sweeps.delete(sweep);
			sweep.onGone();
			continue;
		}
		sweep.ticks += 1;
		if (sweep.signalled === undefined || sweep.ticks > ticksBeforeKill) {
			sweep.signalled = sweep.signalled === undefined ? "SIGTERM" : "SIGKILL";
			signalTree(sweep.tree, sweep.signalled);
		}
	}
	if (sweeps.size > 0) lookSoon();
}

function readTable(): readonly ProcessEntry[] | undefined {
	try {
		return processesOfThisTurn();
	} catch {
		return undefined;
	}
}

function lookSoon(): void {
	if (isLookDue) return;
	isLookDue = true;
	startAwakeTimer(Math.max(everyMs, lastLookMs / mostOfTheTime), look);
}
