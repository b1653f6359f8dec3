import { setTimeout } from "node:timers/promises";
import { type Failure, failByExit, failByInitError, failByTimeout, toPayload } from "./failure.ts";
import { describeExit, describeTimeout, responseTooLargeError } from "./function-error.ts";
import {
	createLogTail,
	formatInitReport,
	formatReport,
	type LocalLambdaLog,
	type LogTail,
	type Report,
} from "./logs.ts";
import type { ResolvedFunction } from "./options.ts";
import type { RuntimeAnswer, RuntimeInvocation } from "./runtime-api.ts";
import { createSandbox, type RuntimeEvent } from "./sandbox.ts";

/**
 * Where an environment is in its life: "init" runs the code outside the handler; "busy" has an invocation; "idle" waits
 * for one; "reset" has no process (before its first INIT, after a timeout, a crash or a failed INIT) and starts one for
 * the next invocation.
 */
export type EnvironmentState = "init" | "busy" | "idle" | "reset";

export type InvocationResult = {
	/** The handler's result as JSON, or the function error. */
	readonly payload: Buffer;
	readonly isFunctionError: boolean;
	/** The last 4 KB of the log, base64, when the invocation is over: later than the answer. */
	readonly logTail: Promise<string>;
};

export type Environment = {
	readonly pid: number | undefined;
	readonly state: EnvironmentState;
	readonly frozen: boolean;
	readonly logStreamName: string;
	/** Runs one invocation; a second one waits until the runtime has asked for it. */
	invoke(invocation: RuntimeInvocation): Promise<InvocationResult>;
	close(): Promise<void>;
};

/** What belongs to one invocation. Times are of `performance.now()`. */
type Running = {
	readonly requestId: string;
	readonly tail: LogTail;
	readonly startedAt: number;
	readonly deadline: number;
	readonly initDurationMs: number | undefined;
};

/**
 * One execution environment: what happens in it, and when.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
export async function createEnvironment(
	fn: ResolvedFunction,
	host: string,
	onLog: (log: LocalLambdaLog) => void,
): Promise<Environment> {
	let state: EnvironmentState = "reset";
	let isFirstInit = true;
	let running: Running | undefined;
	let previous: Promise<unknown> = Promise.resolve();

	const log = (source: LocalLambdaLog["source"], message: string): void => {
		running?.tail.add(message);
		const { logStreamName } = sandbox;
		onLog({ functionName: fn.name, logStreamName, requestId: running?.requestId, source, message });
	};
	const sandbox = await createSandbox(fn, host, log);

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
			// The runtime ends by itself, and writes why.
			await sandbox.take(initErrorGraceMs);
		} else {
			failure = toFailure(requestId, event);
		}
		await reset();
		log("platform", formatInitReport(performance.now() - startedAt, phase, failure));
		return failure;
	};

	const toFailure = (requestId: string, event: RuntimeEvent | undefined): Failure =>
		event?.type === "exit" ? failByExit(requestId, event.exit) : failByTimeout(requestId, fn.timeoutMs);

	const logCause = (requestId: string, event: RuntimeEvent | undefined): void => {
		if (event?.type === "exit") {
			log("platform", `RequestId: ${requestId} Error: ${describeExit(event.exit)}`);
			log("platform", "Runtime.ExitError");
		} else {
			log("platform", `${new Date().toISOString()} ${requestId} ${describeTimeout(fn.timeoutMs)}`);
		}
	};

	/** Ends the invocation; returns its log. */
	const end = (
		{ requestId, initDurationMs, tail }: Running,
		outcome: Pick<Report, "durationMs" | "failure">,
	): string => {
		const maxMemoryUsedMb = sandbox.readMaxMemoryMb();
		log("platform", `END RequestId: ${requestId}`);
		const { memorySizeMb } = fn;
		log("platform", formatReport({ requestId, memorySizeMb, maxMemoryUsedMb, initDurationMs, ...outcome }));
		running = undefined;
		return tail.toBase64();
	};

	const fail = (invocation: Running, failure: Failure): InvocationResult => {
		const elapsedMs = performance.now() - invocation.startedAt;
		const durationMs = failure.status === "timeout" ? fn.timeoutMs : elapsedMs;
		const tail = end(invocation, { durationMs, failure });
		return { payload: failure.payload, isFunctionError: true, logTail: Promise.resolve(tail) };
	};

	/** The time after the answer, until the runtime asks for the next invocation: it belongs to the invocation. */
	const settle = async (invocation: Running): Promise<string> => {
		const event = await sandbox.take(invocation.deadline - performance.now());
		const durationMs = performance.now() - invocation.startedAt;
		if (event?.type === "ready") {
			if (fn.freeze) sandbox.freeze();
			state = "idle";
			await sandbox.flushLogs();
			return end(invocation, { durationMs });
		}
		await reset();
		logCause(invocation.requestId, event);
		return end(invocation, { durationMs, failure: toFailure(invocation.requestId, event) });
	};

	/** INIT on its own time; it leaves no process when it fails, and the invocation starts it again. */
	const initFirst = async (requestId: string): Promise<number | undefined> => {
		isFirstInit = false;
		const startedAt = performance.now();
		const failure = await init(requestId, fn.initTimeoutMs, "init");
		return failure ? undefined : performance.now() - startedAt;
	};

	const run = async (invocation: RuntimeInvocation): Promise<InvocationResult> => {
		const { requestId } = invocation;
		if (!sandbox.isAlive) await reset();
		const initDurationMs = isFirstInit ? await initFirst(requestId) : undefined;

		const startedAt = performance.now();
		const deadlineMs = Date.now() + fn.timeoutMs;
		const current = { requestId, tail: createLogTail(), startedAt, deadline: startedAt + fn.timeoutMs, initDurationMs };
		running = current;
		const failure = sandbox.isAlive ? undefined : await init(requestId, fn.timeoutMs, "invoke");
		log("platform", `START RequestId: ${requestId} Version: $LATEST`);
		if (failure) {
			if (failure.status === "timeout") logCause(requestId, undefined);
			return fail(current, failure);
		}
		state = "busy";
		sandbox.thaw();
		sandbox.deliver(invocation, deadlineMs);
		const event = await sandbox.take(current.deadline - performance.now());
		if (event?.type === "answer") {
			const settled = settle(current);
			// An environment that cannot be brought to rest is not used as it is.
			previous = settled.catch(reset);
			return { ...toResult(event.answer), logTail: settled };
		}
		await reset();
		logCause(requestId, event);
		return fail(current, toFailure(requestId, event));
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
		invoke: async (invocation) => {
			await previous;
			return await run(invocation);
		},
		close: async () => {
			await Promise.race([previous, setTimeout(closeGraceMs, undefined, { ref: false })]);
			await sandbox.close();
		},
	};
}

// What a runtime that has answered gets to ask for the next invocation, so that its last one ends as it should.
const closeGraceMs = 500;

// What a runtime that has reported an INIT error gets to write it to the log and exit.
const initErrorGraceMs = 500;

function toResult(answer: RuntimeAnswer): { readonly payload: Buffer; readonly isFunctionError: boolean } {
	if (answer.kind === "tooLarge") return { payload: toPayload(responseTooLargeError()), isFunctionError: true };
	return { payload: answer.payload, isFunctionError: answer.kind === "error" };
}
