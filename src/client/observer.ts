import type { RequestId } from "../jsonrpc.ts";
import type { LambdaTransportError } from "./errors.ts";
import type { RetryEvent } from "./retry.ts";

/**
 * What the transport tells about its work. Every member is optional; what they throw is ignored. None is given params or
 * results.
 */
export type LambdaTransportObserver = {
	/** A message is about to be sent for the first time. */
	readonly send?: (event: SentMessage & { readonly bytes: number }) => void;
	/** An attempt failed, and another one is made after `delayMs`. */
	readonly retry?: (event: RetryEvent) => void;
	/** The function answered: a request with a result or an error of the server, a notification with nothing. */
	readonly answer?: (
		event: SentMessage & {
			readonly outcome: "result" | "error" | "accepted";
			readonly attempts: number;
			/** Milliseconds from the call of `send` to the response. */
			readonly elapsedMs: number;
			readonly awsRequestId: string | undefined;
		},
	) => void;
	/** A message failed for good; its `send` rejects with the same error. */
	readonly failure?: (event: SentMessage & { readonly error: LambdaTransportError }) => void;
};

export type SentMessage = {
	readonly functionName: string;
	readonly method: string;
	/** `undefined` for a notification. */
	readonly id: RequestId | undefined;
};
