import { type Failure, toPayload } from "./failure.ts";
import { responseTooLargeError } from "./function-error.ts";
import type { RuntimeAnswer } from "./runtime-answer.ts";

/** What an invocation gave. */
export type InvocationOutcome =
	| {
			readonly kind: "whole";
			/** The handler's result as JSON, or the function error. */
			readonly payload: Buffer;
			readonly isFunctionError: boolean;
	  }
	/** The result has been passed on while the function ran. */
	| { readonly kind: "streamed"; readonly error?: StreamError | undefined };

/** How a stream that has begun is told to have failed. */
type StreamError = { readonly code: string; readonly details?: string | undefined };

export type InvocationResult = InvocationOutcome & {
	/** The last 4 KB of the log, base64, when the invocation is over: later than the answer. */
	readonly logTail: Promise<string>;
};

export function toOutcome(answer: Exclude<RuntimeAnswer, { kind: "truncated" }>): InvocationOutcome {
	if (answer.kind === "streamed") {
		const { error } = answer;
		return { kind: "streamed", error: error && { code: error.errorType, details: error.body.toString() } };
	}
	if (answer.kind === "tooLarge") {
		const error = responseTooLargeError(answer.limitBytes);
		const payload = toPayload(error);
		if (answer.streamed) return { kind: "streamed", error: { code: error.errorType, details: payload.toString() } };
		return { kind: "whole", payload, isFunctionError: true };
	}
	return { kind: "whole", payload: answer.payload, isFunctionError: answer.kind === "error" };
}

/**
 * The codes of a stream that breaks are those of Lambda's open source: a connection that breaks is
 * Runtime.TruncatedResponse, whatever broke it, and says no more. AWS documents no code for a timeout midway: it is given
 * the error of a plain invocation.
 *
 * https://github.com/aws/aws-lambda-runtime-interface-emulator/blob/c6779f7eb547901fb675b238c50a145d7eadea05/lambda/core/directinvoke/directinvoke.go
 *
 * @param streams whether a part of the response may have been passed on
 */
export function toFailedOutcome({ payload, status, errorType }: Failure, streams: boolean): InvocationOutcome {
	if (!streams) return { kind: "whole", payload, isFunctionError: true };
	if (status !== "timeout") return { kind: "streamed", error: { code: "Runtime.TruncatedResponse" } };
	return { kind: "streamed", error: { code: errorType, details: payload.toString() } };
}
