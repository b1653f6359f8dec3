import { exitError, type ProcessExit, timeoutError, truncatedError } from "./function-error.ts";
import type { RuntimeEvent } from "./sandbox.ts";

/** Why an invocation has no answer from the runtime. */
export type Failure = {
	/** The function error, as JSON. */
	readonly payload: Buffer;
	readonly status: "timeout" | "error";
	readonly errorType: string;
};

function failByExit(requestId: string, exit: ProcessExit): Failure {
	return { payload: toPayload(exitError(requestId, exit)), status: "error", errorType: "Runtime.ExitError" };
}

function failByTimeout(requestId: string, timeoutMs: number): Failure {
	return { payload: toPayload(timeoutError(requestId, timeoutMs)), status: "timeout", errorType: "Sandbox.Timedout" };
}

/** By what the runtime did, or because nothing happened in time. */
export function failByEvent(requestId: string, timeoutMs: number, event: RuntimeEvent | undefined): Failure {
	return event?.type === "exit" ? failByExit(requestId, event.exit) : failByTimeout(requestId, timeoutMs);
}

/** For a runtime that breaks off its stream and lives on. */
export function failByTruncation(requestId: string): Failure {
	const error = truncatedError(requestId);
	return { payload: toPayload(error), status: "error", errorType: error.errorType };
}

/** @param payload what the runtime posted to /init/error */
export function failByInitError(payload: Buffer): Failure {
	return { payload, status: "error", errorType: readErrorType(payload) };
}

export function toPayload(error: object): Buffer {
	return Buffer.from(JSON.stringify(error));
}

function readErrorType(payload: Buffer): string {
	try {
		return String((JSON.parse(payload.toString()) as { errorType?: unknown }).errorType);
	} catch {
		return "Runtime.Unknown";
	}
}
