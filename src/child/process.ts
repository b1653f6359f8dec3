import { spawn } from "node:child_process";
import { createLineReader } from "../lines.ts";
import type { ExitReason } from "../observer.ts";
import type { ResolvedServerParams } from "../params.ts";
import { startAwakeTimer } from "./awake-timer.ts";
import { createEnding, type Ending } from "./ending.ts";
import { createExcerpt } from "./excerpt.ts";
import { createIntake } from "./intake.ts";
import { createNdjson, type FramingHandlers } from "./ndjson.ts";
import { spawnFailure } from "./spawn-failure.ts";
import { whenTreeIsGone } from "./sweep.ts";
import { forgetTree, markName, nextMark, rememberTree, signalTree } from "./tree.ts";
import { childEnvironment } from "./variables.ts";
import { createWriter, type Writer } from "./writer.ts";

/** A started child process: messages go in and come out. How they are framed on its pipes is known here alone. */
export type ServerProcess = {
	readonly pid: number;
	readonly writer: Writer;
	/** Ends the child and all it started, in the background. */
	readonly end: Ending["begin"];
	/** The first and the last lines on stderr, oldest first. */
	readonly stderr: () => string[];
	/** Settles when the child itself has exited and its output has been read. */
	readonly exited: Promise<ProcessExit>;
	/** Settles when nothing is left of its tree. */
	readonly gone: Promise<void>;
};

export type ProcessExit = {
	readonly exitCode: number | null;
	readonly signal: NodeJS.Signals | null;
	readonly reason: ExitReason;
};

export type ServerProcessHandlers = FramingHandlers & {
	readonly onStderrLine: (line: string) => void;
	/** Stdout was closed while the child lives on. */
	readonly onOutputClosed: () => void;
	readonly onExit: (exit: ProcessExit) => void;
};

const longestStderrLineBytes = 64 * 1024;

/** How long the pipes of a dead child are read on when someone else holds them open and nothing comes. */
const drainMs = 100;
const longestDrainMs = 1000;

/** Starts a server. Rejects with SPAWN_FAILED when the operating system will not. */
export async function spawnServerProcess(
	params: ResolvedServerParams,
	forOneRequest: boolean,
	handlers: ServerProcessHandlers,
): Promise<ServerProcess> {
	const mark = nextMark();
	const child = startChild(params, { ...childEnvironment(params, forOneRequest), [markName]: mark });
	if (child.pid === undefined) {
		const cause = await new Promise<NodeJS.ErrnoException>((resolve) => child.once("error", resolve));
		throw spawnFailure(params, cause);
	}
	const { pid, stdin, stdout, stderr } = child;
	const tree = rememberTree(pid, mark);

	const ending = createEnding(stdin, (signal) => signalTree(tree, signal));
	let exit: { exitCode: number | null; signal: NodeJS.Signals | null } | undefined;
	const exited = Promise.withResolvers<ProcessExit>();
	const gone = Promise.withResolvers<void>();

	const excerpt = createExcerpt();
	const addStderrLine = (line: Buffer): void => {
		excerpt.add(line);
		handlers.onStderrLine(line.toString("utf8").trimEnd());
	};
	const messages = createNdjson(params.maxMessageBytes, handlers);
	const stderrLines = createLineReader(longestStderrLineBytes, {
		onLine: addStderrLine,
		onOverlongLine: (head) => addStderrLine(Buffer.concat([head, Buffer.from(" … (cut)")])),
	});

	let lastOutputAt = 0;
	let outputEnded = false;
	const noteOutput = (): void => {
		lastOutputAt = performance.now();
	};
	const intakes = [createIntake(stdout, messages, noteOutput), createIntake(stderr, stderrLines, noteOutput)];
	stdout.once("end", () => {
		outputEnded = true;
		startAwakeTimer(drainMs, () => {
			if (!exit) handlers.onOutputClosed();
		});
	});
	for (const stream of [stdout, stderr]) stream.on("error", () => stream.destroy());

	let finished = false;
	const finish = (): void => {
		if (finished || !exit) return;
		finished = true;
		for (const intake of intakes) intake.finish();
		stdout.destroy();
		stderr.destroy();
		stdin.destroy();
		const report = { ...exit, reason: ending.reason() ?? "exited" };
		handlers.onExit(report);
		exited.resolve(report);
		whenTreeIsGone(tree, () => {
			forgetTree(tree);
			gone.resolve();
		});
	};
	const finishWhenQuiet = (): void => {
		startAwakeTimer(drainMs, () => {
			if (finished) return;
			const isQuiet = outputEnded || performance.now() - lastOutputAt >= drainMs;
			if (isQuiet && !intakes.some((intake) => intake.isBehind())) finish();
			else finishWhenQuiet();
		});
	};
	child.once("exit", (exitCode, signal) => {
		exit = { exitCode, signal };
		ending.over();
		tree.leaderExited = true;
		finishWhenQuiet();
		startAwakeTimer(longestDrainMs, finish);
	});
	child.once("close", finish);
	child.on("error", () => {
		// A signal that could not be delivered; the exit is reported by "exit".
	});

	child.unref();
	for (const stream of [stdin, stdout, stderr]) (stream as { unref?: () => void }).unref?.();

	return {
		pid,
		writer: createWriter(stdin),
		end: ending.begin,
		stderr: excerpt.lines,
		exited: exited.promise,
		gone: gone.promise,
	};
}

function startChild(params: ResolvedServerParams, env: Record<string, string>) {
	try {
		return spawn(params.command, params.args, {
			cwd: params.cwd,
			env,
			stdio: ["pipe", "pipe", "pipe"],
			// Its own session and process group: the whole group can be signalled at once, and no terminal's Ctrl-C reaches it.
			detached: true,
			windowsHide: true,
		});
	} catch (error) {
		throw spawnFailure(params, error as NodeJS.ErrnoException);
	}
}
