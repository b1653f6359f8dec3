import type { RequestId } from "../jsonrpc.ts";
import { sameError } from "../same-error.ts";

/** Every way in which a request to a function can fail on the way. Stable: match on it. */
export type LambdaTransportErrorCode =
	/** Lambda refused the call because of a concurrency or rate limit (429). */
	| "THROTTLED"
	/** The function is being created, updated, restored or connected to its network or disk, and could not start now. */
	| "NOT_READY"
	/** The credentials may not invoke the function, are not valid, or have expired (403). */
	| "ACCESS_DENIED"
	/** No credentials, or no region, could be found. */
	| "CLIENT_MISCONFIGURED"
	/** There is no such function, version or alias in that region and account (404). */
	| "NOT_FOUND"
	/** The function cannot run as it is configured: runtime, KMS key, VPC, file system, quota. */
	| "FUNCTION_MISCONFIGURED"
	/** Lambda did not accept the call: a parameter, the request's content. */
	| "INVALID_REQUEST"
	/** The message is no JSON-RPC request or notification, or cannot be written as JSON. */
	| "INVALID_MESSAGE"
	/** The request is over 6 MB. */
	| "REQUEST_TOO_LARGE"
	/** Lambda itself, or something on the way to it, failed (5xx); whether the function ran is not known. */
	| "SERVICE_ERROR"
	/** The connection could not be made, or broke; `execution` tells whether the function may have run. */
	| "NETWORK"
	/** `timeoutMs` passed. */
	| "TIMEOUT"
	/** The function ran longer than its timeout. */
	| "FUNCTION_TIMEOUT"
	/** The function's process ended while it worked. */
	| "FUNCTION_EXITED"
	/** The function used more memory than it has. */
	| "FUNCTION_OUT_OF_MEMORY"
	/** The function's result is over the limit of Lambda: 6 MB, or 200 MB when it is streamed. */
	| "RESPONSE_TOO_LARGE"
	/** The function threw, could not be loaded, or failed in a way of its own. */
	| "FUNCTION_ERROR"
	/** The function's result is empty, is not JSON, or is not the response to the request. */
	| "INVALID_RESPONSE"
	/** The streamed result ended before the response. */
	| "STREAM_BROKEN"
	/** The request was cancelled, or a signal fired. */
	| "ABORTED"
	/** The transport is closed. */
	| "CLOSED";

/**
 * Whether the function ran: `"none"` (Lambda refused the call, or never got it), `"unknown"` (it may have run, or may still
 * be running), `"ran"` (it ran, to an end of some kind).
 */
export type Execution = "none" | "unknown" | "ran";

export type LambdaTransportErrorData = {
	readonly functionName?: string | undefined;
	/** Of the message: `tools/call`. */
	readonly method?: string | undefined;
	/** The JSON-RPC id of the message. */
	readonly id?: RequestId | undefined;
	readonly execution?: Execution | undefined;
	/** What AWS's support asks for; also in the function's log. */
	readonly awsRequestId?: string | undefined;
	/** The name of AWS's error or the function's `errorType`: `TooManyRequestsException`, `Sandbox.Timedout`. */
	readonly awsErrorName?: string | undefined;
	readonly httpStatusCode?: number | undefined;
	/** How many times the function was called. */
	readonly attempts?: number | undefined;
	/** Milliseconds from the call of `send` to the failure. */
	readonly elapsedMs?: number | undefined;
	/** How long Lambda wants to be left alone, in milliseconds. */
	readonly retryAfterMs?: number | undefined;
};

/**
 * A message that did not get its response. (An error that the MCP server answered is none: it reaches the MCP client as a
 * JSON-RPC error.)
 *
 * `message` names the function, says what happened, what to do, and the AWS request id; `cause` is the AWS SDK's error.
 */
export class LambdaTransportError extends Error {
	override readonly name = "LambdaTransportError";
	readonly code: LambdaTransportErrorCode;
	readonly functionName: string | undefined;
	readonly method: string | undefined;
	readonly id: RequestId | undefined;
	readonly execution: Execution;
	readonly awsRequestId: string | undefined;
	readonly awsErrorName: string | undefined;
	readonly httpStatusCode: number | undefined;
	readonly attempts: number;
	readonly elapsedMs: number;
	readonly retryAfterMs: number | undefined;
	readonly #summary: string;
	readonly #data: LambdaTransportErrorData;

	constructor(code: LambdaTransportErrorCode, summary: string, data: LambdaTransportErrorData = {}, cause?: unknown) {
		super(describe(summary, data), cause === undefined ? undefined : { cause });
		this.code = code;
		this.functionName = data.functionName;
		this.method = data.method;
		this.id = data.id;
		this.execution = data.execution ?? "none";
		this.awsRequestId = data.awsRequestId;
		this.awsErrorName = data.awsErrorName;
		this.httpStatusCode = data.httpStatusCode;
		this.attempts = data.attempts ?? 0;
		this.elapsedMs = data.elapsedMs ?? 0;
		this.retryAfterMs = data.retryAfterMs;
		this.#summary = summary;
		this.#data = data;
	}

	/** The same failure with more facts about it. */
	with(data: LambdaTransportErrorData): LambdaTransportError {
		// Not by its name: bundlers rename a class that mentions itself, and logs would show that.
		const Same = this.constructor as typeof LambdaTransportError;
		return sameError(this, () => new Same(this.code, this.#summary, { ...this.#data, ...data }, this.cause));
	}
}

function describe(summary: string, { functionName, attempts = 0, elapsedMs, awsRequestId }: LambdaTransportErrorData) {
	const facts = [
		...(attempts > 1 ? [`${attempts} attempts in ${elapsedMs} ms`] : []),
		...(awsRequestId === undefined ? [] : [`AWS request id ${awsRequestId}`]),
	];
	const subject = functionName === undefined ? "" : `Lambda function ${functionName}: `;
	return `${subject}${summary}${facts.length > 0 ? ` (${facts.join("; ")})` : ""}`;
}
