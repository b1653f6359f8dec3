import { createEnvironment, type Environment, type EnvironmentListener } from "./environment/environment.ts";
import type { InvocationResult } from "./environment/invocation-result.ts";
import type { ResponseOutput } from "./environment/response-output.ts";
import type { RuntimeInvocation } from "./environment/runtime-api.ts";
import type { ResolvedFunction, ResolvedLambda } from "./options.ts";

/** Why an invocation was throttled, as the Invoke API says it. */
export type ThrottleReason = "ConcurrentInvocationLimitExceeded" | "ReservedFunctionConcurrentInvocationLimitExceeded";

export type LocalFunction = {
	readonly resolved: ResolvedFunction;
	readonly environments: readonly Environment[];
	/** Starts an invocation, or says why it cannot run now. With an output, what the function streams goes there. */
	invoke(invocation: RuntimeInvocation, output?: ResponseOutput): Promise<InvocationResult> | ThrottleReason;
	/** Starts an invocation as soon as the concurrency allows it. */
	enqueue(invocation: RuntimeInvocation): void;
	close(): Promise<void>;
};

/** How many more invocations may start; shared by functions without a reservation. */
type Capacity = { free: number; readonly reason: ThrottleReason };

export function createFunctions({ functions, concurrency, listener }: ResolvedLambda): Map<string, LocalFunction> {
	const reserved = functions.reduce((sum, fn) => sum + (fn.reservedConcurrency ?? 0), 0);
	const shared: Capacity = { free: concurrency - reserved, reason: "ConcurrentInvocationLimitExceeded" };
	const waiting: (() => boolean)[] = [];
	const onFree = (): void => {
		for (let index = 0; index < waiting.length; ) {
			if (waiting[index]?.()) waiting.splice(index, 1);
			else index++;
		}
	};
	return new Map(
		functions.map((fn) => {
			const capacity: Capacity =
				fn.reservedConcurrency === undefined
					? shared
					: { free: fn.reservedConcurrency, reason: "ReservedFunctionConcurrentInvocationLimitExceeded" };
			return [fn.name, createFunction(fn, capacity, listener, waiting, onFree)];
		}),
	);
}

function createFunction(
	resolved: ResolvedFunction,
	capacity: Capacity,
	listener: EnvironmentListener,
	waiting: (() => boolean)[],
	onFree: () => void,
): LocalFunction {
	const environments: Environment[] = [];
	/** Without an invocation, by the tenant whose they are; the last used is taken first. */
	const free = new Map<string | undefined, Environment[]>();
	const creating = new Set<Promise<Environment>>();
	let closed = false;

	const create = async (): Promise<Environment> => {
		if (closed) throw new Error("The function is closed");
		const created = createEnvironment(resolved, listener);
		creating.add(created);
		try {
			const environment = await created;
			environments.push(environment);
			return environment;
		} finally {
			creating.delete(created);
		}
	};

	const run = async (invocation: RuntimeInvocation, output: ResponseOutput | undefined): Promise<InvocationResult> => {
		let environment: Environment | undefined;
		try {
			environment = free.get(invocation.tenantId)?.pop() ?? (await create());
			return await environment.invoke(invocation, output);
		} finally {
			if (environment) free.set(invocation.tenantId, [...(free.get(invocation.tenantId) ?? []), environment]);
			capacity.free++;
			onFree();
		}
	};

	const invoke: LocalFunction["invoke"] = (invocation, output) => {
		if (capacity.free === 0) return capacity.reason;
		capacity.free--;
		return run(invocation, output);
	};

	return {
		resolved,
		environments,
		invoke,
		enqueue: (invocation) => {
			const tryToStart = (): boolean => {
				const started = closed || invoke(invocation);
				// Its failures are in the function's log; a closed environment has none.
				if (started instanceof Promise) started.catch(() => {});
				return typeof started !== "string";
			};
			if (!tryToStart()) waiting.push(tryToStart);
		},
		close: async () => {
			closed = true;
			await Promise.allSettled(creating);
			await Promise.all(environments.map((environment) => environment.close()));
		},
	};
}
