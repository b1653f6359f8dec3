import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { formatInitReport, type LocalLambdaLog } from "../log.ts";
import type { ResolvedFunction } from "../options.ts";
import { type Failure, failByExit, failByInitError, failByTimeout, failByTruncation } from "./failure.ts";
import { type InvocationResult, toFailedOutcome, toOutcome } from "./invocation-result.ts";
import { createEnvironmentLog } from "./log.ts";
import type { ResponseOutput } from "./response-output.ts";
import type { RuntimeInvocation } from "./runtime-api.ts";
import { createSandbox, type RuntimeEvent } from "./sandbox.ts";

/**
 * Where an environment is in its life: "init" runs the code outside the handler; "busy" has an invocation; "idle" waits
 * for one; "reset" has no process (before its first INIT, after a timeout, a crash or a failed INIT) and starts one for
 * the next invocation.
 */
export type EnvironmentState = "init" | "busy" | "idle" | "reset";

export type Environment = {
	readonly pid: number | undefined;
	readonly state: EnvironmentState;
	readonly frozen: boolean;
	readonly logStreamName: string;
	/** Runs one invocation; a second one waits until the runtime has asked for it. What the function streams goes to `output`. */
	invoke(invocation: RuntimeInvocation, output: ResponseOutput | undefined): Promise<InvocationResult>;
	close(): Promise<void>;
};

/** What belongs to one invocation. Times are of `performance.now()`. */
type Running = {
	readonly requestId: string;
	readonly startedAt: number;
	readonly deadline: number;
	readonly initDurationMs: number | undefined;
	/** Whether the function has begun to stream to the caller. */
	streams: boolean;
};

/**
 * One execution environment: what happens in it, and when.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
export async function createEnvironment(
	fn: ResolvedFunction,
	onLog: (log: LocalLambdaLog) => void,
): Promise<Environment> {
	let state: EnvironmentState = "reset";
	let isFirstInit = true;
	let previous: Promise<unknown> = Promise.resolve();

	const log = createEnvironmentLog(fn, () => sandbox.logStreamName, onLog);
	const sandbox = await createSandbox(fn, log.write);

	const reset = async (): Promise<void> => {
		await sandbox.reset();
		state = "reset";
	};

	/** Starts a runtime process and waits until it asks for an invocation; returns why it did not. */
	const init = async (requestId: string, limitMs: number, phase: "init" | "invoke"): Promise<Failure | undefined> => {
		const startedAt = performance.now();
		sandbox.start();
		state = "init";
		const event = await sandbox.take(limitMs);
		if (event?.type === "ready") return undefined;
		let failure: Failure;
		if (event?.type === "initError") {
			failure = failByInitError(event.payload);
			if (!existsSync(fn.file)) log.write("platform", `There is no file ${fn.file}, which the handler names`);
			// The runtime ends by itself, and writes why.
			await sandbox.take(initErrorGraceMs);
		} else {
			failure = toFailure(requestId, event);
		}
		await reset();
		log.write("platform", formatInitReport(performance.now() - startedAt, phase, failure));
		return failure;
	};

	const toFailure = (requestId: string, event: RuntimeEvent | undefined): Failure =>
		event?.type === "exit" ? failByExit(requestId, event.exit) : failByTimeout(requestId, fn.timeoutMs);

	const end = ({ initDurationMs }: Running, durationMs: number, failure?: Failure): string =>
		log.end({ durationMs, failure, initDurationMs, maxMemoryUsedMb: sandbox.readMaxMemoryMb() });

	const fail = (invocation: Running, failure: Failure): InvocationResult => {
		const elapsedMs = performance.now() - invocation.startedAt;
		const durationMs = failure.status === "timeout" ? fn.timeoutMs : elapsedMs;
		const tail = end(invocation, durationMs, failure);
		return { ...toFailedOutcome(failure, invocation.streams), logTail: Promise.resolve(tail) };
	};

	/** The environment comes to rest: the runtime has asked for the next invocation. */
	const rest = async (): Promise<void> => {
		if (fn.freeze) sandbox.freeze();
		state = "idle";
		await sandbox.flushLogs();
	};

	/**
	 * The time after the answer, until the runtime asks for the next invocation: it belongs to the invocation.
	 *
	 * @param known what the runtime has done since, when that is known
	 */
	const settle = async (invocation: Running, known: RuntimeEvent | undefined): Promise<string> => {
		const event = known ?? (await sandbox.take(invocation.deadline - performance.now()));
		const durationMs = performance.now() - invocation.startedAt;
		if (event?.type === "ready") {
			await rest();
			return end(invocation, durationMs);
		}
		await reset();
		log.writeCause(invocation.requestId, event);
		return end(invocation, durationMs, toFailure(invocation.requestId, event));
	};

	/** What comes of an invocation that the runtime has. */
	const conclude = async (invocation: Running): Promise<InvocationResult> => {
		const { requestId, deadline } = invocation;
		let event = await sandbox.take(deadline - performance.now());
		let exit: RuntimeEvent | undefined;
		if (event?.type === "exit" && invocation.streams) {
			// What the process had written before its end is still on its way.
			exit = event;
			event = (await sandbox.take(streamEndGraceMs)) ?? exit;
		}
		if (event?.type === "answer" && event.answer.kind !== "truncated") {
			const settled = settle(invocation, exit);
			// An environment that cannot be brought to rest is not used as it is.
			previous = settled.catch(reset);
			return { ...toOutcome(event.answer), logTail: settled };
		}
		if (event?.type === "answer") {
			// A stream breaks because the process ends, or because the handler destroyed it.
			event = exit ?? (await sandbox.take(deadline - performance.now()));
			if (event?.type === "ready") {
				await rest();
				return fail(invocation, failByTruncation(requestId));
			}
		}
		await reset();
		log.writeCause(requestId, event);
		return fail(invocation, toFailure(requestId, event));
	};

	/** INIT on its own time; it leaves no process when it fails, and the invocation starts it again. */
	const initFirst = async (requestId: string): Promise<number | undefined> => {
		isFirstInit = false;
		const startedAt = performance.now();
		const failure = await init(requestId, fn.initTimeoutMs, "init");
		return failure ? undefined : performance.now() - startedAt;
	};

	const run = async (invocation: RuntimeInvocation, output: ResponseOutput | undefined): Promise<InvocationResult> => {
		const { requestId } = invocation;
		if (!sandbox.isAlive) await reset();
		const initDurationMs = isFirstInit ? await initFirst(requestId) : undefined;

		const startedAt = performance.now();
		const deadlineMs = Date.now() + fn.timeoutMs;
		const deadline = startedAt + fn.timeoutMs;
		const current: Running = { requestId, startedAt, deadline, initDurationMs, streams: false };
		log.begin(requestId);
		const failure = sandbox.isAlive ? undefined : await init(requestId, fn.timeoutMs, "invoke");
		log.write("platform", `START RequestId: ${requestId} Version: $LATEST`);
		if (failure) {
			if (failure.status === "timeout") log.writeCause(requestId, undefined);
			return fail(current, failure);
		}
		state = "busy";
		sandbox.thaw();
		const start = (): void => {
			current.streams = true;
			output?.start();
		};
		sandbox.deliver(invocation, deadlineMs, output && { ...output, start });
		return await conclude(current);
	};

	return {
		get pid() {
			return sandbox.pid;
		},
		get state() {
			return sandbox.isAlive ? state : "reset";
		},
		get frozen() {
			return sandbox.frozen;
		},
		logStreamName: sandbox.logStreamName,
		invoke: async (invocation, output) => {
			await previous;
			return await run(invocation, output);
		},
		close: async () => {
			await Promise.race([previous, setTimeout(closeGraceMs, undefined, { ref: false })]);
			await sandbox.close();
		},
	};
}

// What a runtime that has answered gets to ask for the next invocation, so that its last one ends as it should.
const closeGraceMs = 500;

// What is left of a stream gets to be read after the process that wrote it has ended.
const streamEndGraceMs = 1000;

// What a runtime that has reported an INIT error gets to write it to the log and exit.
const initErrorGraceMs = 500;
