import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { Readable } from "node:stream";
import { setImmediate, setTimeout } from "node:timers/promises";
import { listProcesses } from "../../process/table.ts";
import { readLines } from "../log.ts";
import type { ResolvedFunction } from "../options.ts";
import { createEnvironmentTree, type EnvironmentTree, type ProcessListener } from "./freeze.ts";
import type { ProcessExit } from "./function-error.ts";

export type RuntimeProcess = {
	readonly pid: number;
	readonly hasExited: boolean;
	/** Returns the processes that it has stopped. */
	freeze(): readonly number[];
	/** Returns the processes that run again. */
	thaw(): readonly number[];
	/** Ends all processes of the environment, without waiting until they are gone. */
	kill(): void;
	/** Resolves when none of the processes is left. */
	gone(): Promise<void>;
	/** Gives out what the processes have written, also the last line when it is unfinished. */
	flushLogs(): Promise<void>;
	/** The most that all processes of the environment have used together, as far as it was seen; only on Linux. */
	readMaxMemoryMb(): number | undefined;
};

export type RuntimeProcessListener = {
	onLine(source: "stdout" | "stderr", line: string): void;
	onExit(exit: ProcessExit): void;
	/** A process of the environment was seen for the first time, or is gone. */
	onProcess: ProcessListener;
};

/** How often the process table is read while the environment runs, so that processes which lose their parent stay known. */
const observeEveryMs = 100;

/** A process that SIGKILL does not end within 2 s hangs in the kernel. */
const maxWaits = 400;

/** @param marks see `createEnvironmentTree` */
export function startRuntimeProcess(
	fn: ResolvedFunction,
	variables: Record<string, string>,
	marks: readonly string[],
	listener: RuntimeProcessListener,
): RuntimeProcess {
	const child = spawn(process.execPath, [...heapLimits(fn.memorySizeMb), fn.command.file], {
		// A missing folder is the runtime's to report, as a handler that cannot be loaded.
		cwd: existsSync(fn.taskRoot) ? fn.taskRoot : "/",
		env: variables,
		// A group and session of its own: a Ctrl-C in the terminal is for the host, which ends its environments itself.
		detached: true,
		stdio: ["ignore", "pipe", "pipe"],
	});
	// Without a file descriptor left (EMFILE) there are no pipes: the error comes as an event.
	const flushes = (["stdout", "stderr"] as const).map((source) => {
		const pipe: Readable | null = child[source];
		return pipe ? readLines(pipe, (line) => listener.onLine(source, line)) : () => {};
	});
	let exited = false;
	let tree: EnvironmentTree | undefined;
	const hasEnded = new Promise<void>((resolve) => {
		const end = (exit: ProcessExit, lastLine?: string): void => {
			if (exited) return;
			exited = true;
			unobserve(tree);
			if (lastLine !== undefined) listener.onLine("stderr", lastLine);
			listener.onExit(exit);
			resolve();
		};
		child.once("exit", (code, signal) => end({ code, signal }));
		child.once("error", (error) => end({ code: 1, signal: null }, error.message));
	});

	if (child.pid !== undefined) {
		tree = createEnvironmentTree(child.pid, marks, () => exited, listener.onProcess);
		observe(tree);
	}

	return {
		pid: child.pid ?? -1,
		get hasExited() {
			return exited;
		},
		freeze: () => {
			unobserve(tree);
			return tree?.freeze() ?? [];
		},
		thaw: () => {
			const pids = tree?.thaw() ?? [];
			observe(tree);
			return pids;
		},
		kill: () => {
			unobserve(tree);
			tree?.kill();
		},
		gone: async () => {
			await hasEnded;
			for (let waits = 0; waits < maxWaits && tree?.isAlive(); waits++) await setTimeout(5);
		},
		flushLogs: async () => {
			// What is in the pipes is read in the next turns of the event loop.
			for (let turns = 0; turns < 2; turns++) await setImmediate();
			for (const flush of flushes) flush();
		},
		readMaxMemoryMb: () => tree?.readMaxMemoryMb(),
	};
}

/** Those of all environments that run now: the process table, which takes time to read, is read once for them all. */
const observed = new Set<EnvironmentTree>();
let observing: NodeJS.Timeout | undefined;

function observe(tree: EnvironmentTree | undefined): void {
	if (!tree) return;
	observed.add(tree);
	observing ??= setInterval(() => {
		const table = listProcesses();
		for (const running of observed) running.observe(table);
	}, observeEveryMs).unref();
}

function unobserve(tree: EnvironmentTree | undefined): void {
	if (!tree) return;
	observed.delete(tree);
	if (observed.size > 0) return;
	clearInterval(observing);
	observing = undefined;
}

// What AWS's bootstrap gives its Node.js runtimes, whose runtime interface client knows these three by name.
function heapLimits(memorySizeMb: number): string[] {
	return [
		"--expose-gc",
		`--max-semi-space-size=${Math.floor((memorySizeMb * 5) / 100)}`,
		`--max-old-space-size=${Math.floor((memorySizeMb * 90) / 100)}`,
	];
}
