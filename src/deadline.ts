/** When a request must be answered: epoch milliseconds, a Lambda context, or a durable/streaming context that wraps one. */
export type DeadlineSource =
	| number
	| { readonly getRemainingTimeInMillis: () => number }
	| { readonly lambdaContext: { readonly getRemainingTimeInMillis: () => number } };

export type DeadlineOptions = {
	readonly timeoutMs: number | undefined;
	readonly deadline: DeadlineSource | undefined;
	readonly deadlineReserveMs: number;
	readonly signal: AbortSignal | undefined;
};

/** Why a request ends early: the `reason` of a deadline's signal. */
export type Interruption = {
	readonly code: "TIMEOUT" | "ABORTED";
	readonly limitMs: number;
	readonly cause?: unknown;
};

/** One signal for everything that can end a request early; its `reason` is an `Interruption`. */
export type Deadline = {
	readonly signal: AbortSignal;
	/** Must be called when the request is over: an armed timer keeps the process alive, on purpose. */
	readonly clear: () => void;
};

/** How long a request may take when the caller names neither a timeout nor a deadline: what the MCP SDKs use. */
const defaultTimeoutMs = 60_000;

// A longer delay makes setTimeout fire at once: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args
export const longestTimerMs: number = 2 ** 31 - 1;

/**
 * Starts the clock of one request. The timer is a referenced one: Lambda's runtime ends a process whose event loop is
 * empty while an answer is pending, and idle children are not referenced.
 */
export function startDeadline(options: DeadlineOptions): Deadline {
	const controller = new AbortController();
	const limitMs = timeLimitMs(options);
	const interrupt = (interruption: Interruption): void => controller.abort(interruption);
	const expire = (): void => interrupt({ code: "TIMEOUT", limitMs });
	const timer = setTimeout(expire, Math.min(Math.max(limitMs, 0), longestTimerMs));
	const { signal } = options;
	const abort = (): void => interrupt({ code: "ABORTED", limitMs, cause: signal?.reason });
	if (signal?.aborted) abort();
	else signal?.addEventListener("abort", abort, { once: true });
	if (limitMs <= 0) expire();
	return {
		signal: controller.signal,
		clear: () => {
			clearTimeout(timer);
			signal?.removeEventListener("abort", abort);
		},
	};
}

/** Milliseconds from now, the earlier of the two limits; a reserve is kept before a deadline, at most a fifth of what is left. */
function timeLimitMs({ timeoutMs, deadline, deadlineReserveMs }: DeadlineOptions): number {
	if (deadline === undefined) return timeoutMs ?? defaultTimeoutMs;
	const remainingMs = remainingTimeMs(deadline);
	// A clock that does not tell the time is none: a test's context often has one.
	if (!(remainingMs <= Number.POSITIVE_INFINITY)) return timeoutMs ?? defaultTimeoutMs;
	return Math.min(remainingMs - Math.min(deadlineReserveMs, remainingMs / 5), timeoutMs ?? Number.POSITIVE_INFINITY);
}

function remainingTimeMs(deadline: DeadlineSource): number {
	if (typeof deadline === "number") return deadline - Date.now();
	return ("getRemainingTimeInMillis" in deadline ? deadline : deadline.lambdaContext).getRemainingTimeInMillis();
}

/** Rejects as soon as `signal` fires, with what `toError` makes of the reason; else settles as `promise` does. */
export function untilInterrupted<T>(
	promise: Promise<T>,
	signal: AbortSignal,
	toError: (interruption: Interruption) => Error,
): Promise<T> {
	return new Promise((resolve, reject) => {
		const interrupt = (): void => reject(toError(signal.reason));
		if (signal.aborted) {
			interrupt();
			promise.catch(() => {});
			return;
		}
		signal.addEventListener("abort", interrupt, { once: true });
		promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", interrupt));
	});
}
