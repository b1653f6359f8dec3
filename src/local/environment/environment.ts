import { setTimeout } from "node:timers/promises";
import type { EnvironmentEvent, EnvironmentState, LocalLambdaEvent } from "../event.ts";
import type { LocalLambdaLog } from "../log.ts";
import type { ResolvedFunction } from "../options.ts";
import type { Failure } from "./failure.ts";
import { runInit } from "./init.ts";
import { type EnvironmentParts, failInvocation, finishInvocation, type Running } from "./invocation.ts";
import type { InvocationResult } from "./invocation-result.ts";
import { createLifecycle } from "./lifecycle.ts";
import { createEnvironmentLog } from "./log.ts";
import type { ResponseOutput } from "./response-output.ts";
import type { RuntimeInvocation } from "./runtime-api.ts";
import { createSandbox } from "./sandbox.ts";

/** What is told of an environment. */
export type EnvironmentListener = {
	readonly onLog: (log: LocalLambdaLog) => void;
	readonly onEvent: (event: LocalLambdaEvent) => void;
};

export type Environment = {
	readonly pid: number | undefined;
	readonly state: EnvironmentState;
	readonly frozen: boolean;
	readonly logStreamName: string;
	/** Runs one invocation; a second one waits until the runtime has asked for it. What the function streams goes to `output`. */
	invoke(invocation: RuntimeInvocation, output: ResponseOutput | undefined): Promise<InvocationResult>;
	close(): Promise<void>;
};

/**
 * One execution environment: what happens in it, and when.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
export async function createEnvironment(
	fn: ResolvedFunction,
	{ onLog, onEvent }: EnvironmentListener,
): Promise<Environment> {
	let isFirstInit = true;
	let previous: Promise<unknown> = Promise.resolve();

	const log = createEnvironmentLog(fn, () => sandbox.logStreamName, onLog);
	const tell = (event: EnvironmentEvent): void => {
		const { name: functionName } = fn;
		onEvent({
			functionName,
			logStreamName: sandbox.logStreamName,
			requestId: log.requestId(),
			at: Date.now(),
			...event,
		});
	};
	const lifecycle = createLifecycle((from, to) => tell({ type: "state", from, to }));
	const sandbox = await createSandbox(fn, { onLine: log.write, onEvent: tell });

	const reset = async (): Promise<void> => {
		await sandbox.reset();
		lifecycle.enter("reset");
	};

	const init = async (requestId: string, limitMs: number, phase: "init" | "invoke"): Promise<Failure | undefined> => {
		lifecycle.enter("init");
		return await runInit(parts, requestId, limitMs, phase);
	};

	/** The environment comes to rest: the runtime has asked for the next invocation. */
	const rest = async (): Promise<void> => {
		if (fn.freeze) sandbox.freeze();
		lifecycle.enter("idle");
		await sandbox.flushLogs();
	};

	const parts: EnvironmentParts = { fn, sandbox, log, reset, rest };

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
			return failInvocation(parts, current, failure);
		}
		lifecycle.enter("busy");
		sandbox.thaw();
		const start = (contentType: string | undefined): void => {
			current.streams = true;
			output?.start(contentType);
		};
		sandbox.deliver(invocation, deadlineMs, output && { ...output, start });
		const result = await finishInvocation(parts, current);
		// An environment that cannot be brought to rest is not used as it is.
		previous = result.logTail.catch(reset);
		return result;
	};

	return {
		get pid() {
			return sandbox.pid;
		},
		get state() {
			return sandbox.isAlive ? lifecycle.state() : "reset";
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
