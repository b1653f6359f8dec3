import { availableParallelism, totalmem } from "node:os";
import type { DeadlineSource } from "./deadline.ts";
import { isObject, type JsonRpcNotification } from "./jsonrpc.ts";
import { failureObserver, type Observer } from "./observer.ts";
import { callable, duration, integer, type OptionRules, oneOf, trueOrFalse, validateOptions } from "./validate.ts";

/**
 * How long a child process lives: `"request"` gives each request a process that has served nobody before, so that no
 * server state survives; `"environment"` keeps one process for as long as it is healthy.
 */
export type Lifetime = "request" | "environment";

/** How the processes of a server are managed. */
export type LifetimeOptions = {
	/** How long a child process lives. @default "request" */
	readonly lifetime?: Lifetime | undefined;
	/**
	 * For the lifetime `"request"`: how many started and initialised processes wait unused for the requests to come.
	 *
	 * @default 1, and 0 where the function has less than 512 MB of memory
	 */
	readonly standby?: number | undefined;
	/**
	 * For the lifetime `"request"`: how many processes of one server may live at once; further requests wait in the order
	 * they came.
	 *
	 * @default one for every 128 MB of the function's memory, at most four a core and at least 1
	 */
	readonly maxProcesses?: number | undefined;
	/**
	 * Who is told what happens. Without one, failures are written to stderr, a JSON line each; `{}` says nothing.
	 *
	 * @default an observer that writes failures to stderr
	 */
	readonly observer?: Observer | undefined;
};

/** How to treat one request. */
export type StdioRequestOptions = LifetimeOptions & {
	/** Milliseconds the request may take. @default 60000 when there is no deadline */
	readonly timeoutMs?: number | undefined;
	/** When the answer is due at the latest: a Lambda context, or epoch milliseconds. */
	readonly deadline?: DeadlineSource | undefined;
	/**
	 * Milliseconds before the deadline at which a request is given up, so that its error still reaches the caller; at most a
	 * fifth of the time that is left.
	 *
	 * @default 500
	 */
	readonly deadlineReserveMs?: number | undefined;
	/** Ends the request early, with ABORTED. */
	readonly signal?: AbortSignal | undefined;
	/** Told of the notifications that belong to this request (progress, log messages), in order and before the answer. */
	readonly onNotification?: ((notification: JsonRpcNotification) => void) | undefined;
	/**
	 * Whether errors of the bridge show the caller the server's last lines on stderr. They always go to the observer; they
	 * may hold secrets.
	 *
	 * @default false
	 */
	readonly exposeStderr?: boolean | undefined;
	/** Given back to the observer with each event about this request; nothing looks into it. */
	readonly correlation?: unknown;
};

export type ResolvedLifetimeOptions = {
	readonly lifetime: Lifetime;
	readonly standby: number;
	readonly maxProcesses: number;
	readonly observer: Observer;
	/** Of the request, where there is one. */
	readonly correlation: unknown;
};

export type ResolvedRequestOptions = ResolvedLifetimeOptions & {
	readonly timeoutMs: number | undefined;
	readonly deadline: DeadlineSource | undefined;
	readonly deadlineReserveMs: number;
	readonly signal: AbortSignal | undefined;
	readonly onNotification: ((notification: JsonRpcNotification) => void) | undefined;
	readonly exposeStderr: boolean;
};

const defaultLifetime = "request";
const memoryMb = Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE) || totalmem() / 2 ** 20;
const defaultStandby = memoryMb < 512 ? 0 : 1;
const defaultMaxProcesses = Math.max(1, Math.min(Math.floor(memoryMb / 128), 4 * availableParallelism()));
const defaultDeadlineReserveMs = 500;

const hasClock = (value: unknown): boolean =>
	typeof (value as { getRemainingTimeInMillis?: unknown } | null)?.getRemainingTimeInMillis === "function";

const lifetimeRules: OptionRules<LifetimeOptions> = {
	lifetime: oneOf("request", "environment"),
	standby: integer(0),
	maxProcesses: integer(1),
	observer: { expected: "an object", accepts: isObject },
};

export const requestRules: OptionRules<StdioRequestOptions> = {
	...lifetimeRules,
	timeoutMs: duration,
	deadline: {
		expected: "a Lambda context or epoch milliseconds",
		accepts: (value) =>
			(typeof value === "number" && !Number.isNaN(value)) ||
			hasClock(value) ||
			hasClock((value as { lambdaContext?: unknown } | null)?.lambdaContext),
	},
	deadlineReserveMs: duration,
	signal: {
		expected: "an AbortSignal",
		accepts: (value) =>
			typeof (value as AbortSignal | null)?.addEventListener === "function" && "aborted" in (value as object),
	},
	onNotification: callable,
	exposeStderr: trueOrFalse,
	correlation: { expected: "anything", accepts: () => true },
};

export function resolveLifetimeOptions(options: LifetimeOptions): ResolvedLifetimeOptions {
	validateOptions("options", options, lifetimeRules);
	return {
		lifetime: options.lifetime ?? defaultLifetime,
		standby: options.standby ?? defaultStandby,
		maxProcesses: options.maxProcesses ?? defaultMaxProcesses,
		observer: options.observer ?? failureObserver,
		correlation: undefined,
	};
}

export function resolveRequestOptions(options: StdioRequestOptions): ResolvedRequestOptions {
	validateOptions("options", options, requestRules);
	return {
		lifetime: options.lifetime ?? defaultLifetime,
		standby: options.standby ?? defaultStandby,
		maxProcesses: options.maxProcesses ?? defaultMaxProcesses,
		observer: options.observer ?? failureObserver,
		timeoutMs: options.timeoutMs,
		deadline: options.deadline,
		deadlineReserveMs: options.deadlineReserveMs ?? defaultDeadlineReserveMs,
		signal: options.signal,
		onNotification: options.onNotification,
		exposeStderr: options.exposeStderr ?? false,
		correlation: options.correlation,
	};
}
