import { setTimeout as delay } from "node:timers/promises";
import { longestTimerMs } from "../deadline.ts";
import { isObject, type JsonRpcRequest, type RequestId } from "../jsonrpc.ts";
import { callable, duration, integer, type OptionRules, trueOrFalse, validateOptions } from "../validate.ts";
import { LambdaTransportError } from "./errors.ts";
import { isClockCorrected } from "./invoke-error.ts";
import { createRetryBudget, type RetryBudget } from "./retry-budget.ts";

/** A retry that is about to be waited for. */
export type RetryEvent = {
	readonly functionName: string;
	readonly method: string;
	/** `undefined` for a notification. */
	readonly id: RequestId | undefined;
	/** How many attempts were made. */
	readonly attempts: number;
	/** Milliseconds until the next one. */
	readonly delayMs: number;
	/** Why the last one failed. */
	readonly error: LambdaTransportError;
};

/**
 * When a message is sent again.
 *
 * What provably did not run is, whatever it is: throttled, not ready, no connection. What may have run is only when it is
 * safe to run twice: `initialize` and the notification after it, `ping`, every list, read and get, completions,
 * `server/discover`, and tools that say `readOnlyHint` or `idempotentHint` in a `tools/list` that came through this
 * transport. A function that failed is not called again. The AWS SDK's own retries are off.
 */
export type RetryOptions = {
	/** How often a message is sent at most, the first time included; 1 switches retries off. @default 5 */
	readonly maxAttempts?: number | undefined;
	/**
	 * Milliseconds that the first delay is at most; it doubles with each attempt. A delay is drawn at random between 0 and
	 * that ("full jitter": https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
	 *
	 * @default 200
	 */
	readonly baseDelayMs?: number | undefined;
	/** Milliseconds that any delay is at most, unless Lambda asks for more. @default 10000 */
	readonly maxDelayMs?: number | undefined;
	/** Milliseconds after the first attempt at which no further one is begun. @default 30000 */
	readonly maxElapsedMs?: number | undefined;
	/**
	 * Whether a request that is safe to run twice is sent again after the function timed out, or its process ended.
	 *
	 * @default false
	 */
	readonly retryFunctionErrors?: boolean | undefined;
	/** Decides whether a request is safe to run twice; `undefined` leaves it to the rule above. */
	readonly isSafe?: ((request: JsonRpcRequest) => boolean | undefined) | undefined;
	/** Told of each retry before it is waited for; what it throws is ignored. */
	readonly onRetry?: ((event: RetryEvent) => void) | undefined;
	/** Shared with other transports. @default one of 100 retries for each transport */
	readonly budget?: RetryBudget | undefined;
};

export type ResolvedRetryOptions = {
	readonly [K in Exclude<keyof RetryOptions, "isSafe" | "onRetry">]-?: NonNullable<RetryOptions[K]>;
} & Pick<RetryOptions, "isSafe" | "onRetry">;

const rules: OptionRules<RetryOptions> = {
	maxAttempts: integer(1),
	baseDelayMs: duration,
	maxDelayMs: duration,
	maxElapsedMs: duration,
	retryFunctionErrors: trueOrFalse,
	isSafe: callable,
	onRetry: callable,
	budget: {
		expected: "what createRetryBudget() makes",
		accepts: (value) => isObject(value) && typeof value.take === "function" && typeof value.succeed === "function",
	},
};

export function resolveRetryOptions(options: RetryOptions): ResolvedRetryOptions {
	validateOptions("retry", options, rules);
	return {
		maxAttempts: options.maxAttempts ?? 5,
		baseDelayMs: options.baseDelayMs ?? 200,
		maxDelayMs: options.maxDelayMs ?? 10_000,
		maxElapsedMs: options.maxElapsedMs ?? 30_000,
		retryFunctionErrors: options.retryFunctionErrors ?? false,
		isSafe: options.isSafe,
		onRetry: options.onRetry,
		budget: options.budget ?? createRetryBudget(),
	};
}

/**
 * Makes attempts until one succeeds, or has failed for good: then it rejects with the last failure.
 *
 * `signal` ends the waiting between two; its reason is what is thrown then.
 */
export async function withRetries(
	options: ResolvedRetryOptions,
	{ isSafe, signal }: { readonly isSafe: () => boolean; readonly signal: AbortSignal },
	attempt: () => Promise<void>,
	onRetry: (event: Pick<RetryEvent, "attempts" | "delayMs" | "error">) => void,
): Promise<void> {
	const startedAt = performance.now();
	for (let attempts = 1; ; attempts += 1) {
		try {
			await attempt();
			options.budget.succeed(attempts > 1);
			return;
		} catch (error) {
			if (!(error instanceof LambdaTransportError) || signal.aborted) throw error;
			if (attempts >= options.maxAttempts || !mayRetry(error, isSafe, options)) throw error;
			const delayMs = delayBefore(attempts, error, options);
			const elapsedMs = performance.now() - startedAt;
			if (elapsedMs + delayMs > options.maxElapsedMs || !options.budget.take()) throw error;
			onRetry({ attempts, delayMs: Math.round(delayMs), error });
			await delay(delayMs, undefined, { signal }).catch(() => {
				throw signal.reason;
			});
		}
	}
}

function mayRetry(error: LambdaTransportError, isSafe: () => boolean, options: ResolvedRetryOptions): boolean {
	switch (error.code) {
		case "THROTTLED":
		case "NOT_READY":
			return true;
		case "ACCESS_DENIED":
			return isClockCorrected(error.cause);
		case "NETWORK":
			return error.execution === "none" || isSafe();
		case "SERVICE_ERROR":
		case "TIMEOUT":
		case "STREAM_BROKEN":
			return isSafe();
		case "FUNCTION_TIMEOUT":
		case "FUNCTION_EXITED":
		case "FUNCTION_OUT_OF_MEMORY":
			return options.retryFunctionErrors && isSafe();
		default:
			return false;
	}
}

/** Milliseconds to wait after so many attempts: full jitter, and no less than Lambda asks for. */
export function delayBefore(
	attempts: number,
	{ retryAfterMs = 0 }: Pick<LambdaTransportError, "retryAfterMs">,
	{ baseDelayMs, maxDelayMs }: Pick<ResolvedRetryOptions, "baseDelayMs" | "maxDelayMs">,
): number {
	// 2 ** 1024 is infinite, and 0 times that is no number.
	const ceiling = Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(attempts - 1, 100), longestTimerMs);
	// Those who were sent away together must not come back together.
	return Math.min(retryAfterMs + Math.random() * ceiling, longestTimerMs);
}
