import type { ResolvedFunction } from "../options.ts";
import { conclude } from "./conclusion.ts";
import { type Failure, failByEvent, failByTruncation } from "./failure.ts";
import { type InvocationResult, toFailedOutcome, toOutcome } from "./invocation-result.ts";
import type { EnvironmentLog } from "./log.ts";
import type { RuntimeEvent, Sandbox } from "./sandbox.ts";

/** What an environment is made of, for INIT and for an invocation. */
export type EnvironmentParts = {
	readonly fn: ResolvedFunction;
	readonly sandbox: Sandbox;
	readonly log: EnvironmentLog;
	/** Ends all processes: the next invocation starts with INIT. */
	readonly reset: () => Promise<void>;
	/** The runtime has asked for the next invocation. */
	readonly rest: () => Promise<void>;
};

/** What belongs to one invocation. Times are of `performance.now()`. */
export type Running = {
	readonly requestId: string;
	readonly startedAt: number;
	readonly deadline: number;
	readonly initDurationMs: number | undefined;
	/** Whether the function has begun to stream to the caller. */
	streams: boolean;
};

/** What comes of an invocation that the runtime has. It is over, and the environment at rest, with the end of the log. */
export async function finishInvocation(parts: EnvironmentParts, invocation: Running): Promise<InvocationResult> {
	const { fn, sandbox, log } = parts;
	const { requestId, deadline } = invocation;
	const conclusion = await conclude(
		sandbox.take,
		() => deadline - performance.now(),
		() => invocation.streams,
	);
	if (conclusion.kind === "answered") {
		return { ...toOutcome(conclusion.answer), logTail: settle(parts, invocation, conclusion.exit) };
	}
	if (conclusion.kind === "brokenOff") {
		await parts.rest();
		return failInvocation(parts, invocation, failByTruncation(requestId));
	}
	await parts.reset();
	log.writeCause(requestId, conclusion.cause);
	return failInvocation(parts, invocation, failByEvent(requestId, fn.timeoutMs, conclusion.cause));
}

export function failInvocation(parts: EnvironmentParts, invocation: Running, failure: Failure): InvocationResult {
	const elapsedMs = performance.now() - invocation.startedAt;
	const durationMs = failure.status === "timeout" ? parts.fn.timeoutMs : elapsedMs;
	const tail = end(parts, invocation, durationMs, failure);
	return { ...toFailedOutcome(failure, invocation.streams), logTail: Promise.resolve(tail) };
}

/**
 * The time after the answer, until the runtime asks for the next invocation: it belongs to the invocation.
 *
 * @param known what the runtime has done since, when that is known
 */
async function settle(parts: EnvironmentParts, invocation: Running, known: RuntimeEvent | undefined): Promise<string> {
	const event = known ?? (await parts.sandbox.take(invocation.deadline - performance.now()));
	const durationMs = performance.now() - invocation.startedAt;
	if (event?.type === "ready") {
		await parts.rest();
		return end(parts, invocation, durationMs);
	}
	await parts.reset();
	parts.log.writeCause(invocation.requestId, event);
	return end(parts, invocation, durationMs, failByEvent(invocation.requestId, parts.fn.timeoutMs, event));
}

function end({ log, sandbox }: EnvironmentParts, invocation: Running, durationMs: number, failure?: Failure): string {
	const { initDurationMs } = invocation;
	return log.end({ durationMs, failure, initDurationMs, maxMemoryUsedMb: sandbox.readMaxMemoryMb() });
}
