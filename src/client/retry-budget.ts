/**
 * How many retries may be made beyond the requests that succeed, so that clients do not multiply the load of a function
 * that is down. One budget can serve several transports.
 *
 * It is the token bucket of the AWS SDKs: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 */
export type RetryBudget = {
	/** Takes what a retry costs; `false` when there is not enough left. */
	take(): boolean;
	/** Gives back what the request's last retry cost or, when it had none, a little. */
	succeed(wasRetried: boolean): void;
};

const retryCost = 5;

/**
 * A budget of so many retries, when none succeeds; each request that succeeds at once gives back a fifth of a retry.
 *
 * Throws a TypeError for a size that is no integer of 1 or more.
 *
 * @example
 * import { createRetryBudget, LambdaFunctionClientTransport } from "mcp-stdio-lambda/client";
 *
 * const budget = createRetryBudget();
 * const transport = new LambdaFunctionClientTransport({ functionName: "everything", retry: { budget } });
 */
export function createRetryBudget(retries = 100): RetryBudget {
	if (!Number.isSafeInteger(retries) || retries < 1) {
		throw new TypeError(`retries must be an integer of 1 or more, not ${String(retries)}`);
	}
	const capacity = retries * retryCost;
	let tokens = capacity;
	return {
		take: () => {
			if (tokens < retryCost) return false;
			tokens -= retryCost;
			return true;
		},
		succeed: (wasRetried) => {
			tokens = Math.min(capacity, tokens + (wasRetried ? retryCost : 1));
		},
	};
}
