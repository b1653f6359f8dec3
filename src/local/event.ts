/**
 * Where an environment is in its life: "init" runs the code outside the handler; "busy" has an invocation; "idle" waits
 * for one; "reset" has no process (before its first INIT, after a timeout, a crash or a failed INIT) and starts one for
 * the next invocation.
 */
export type EnvironmentState = "init" | "busy" | "idle" | "reset";

/** What happened to an execution environment, beside what stands in its log. */
export type LocalLambdaEvent = {
	readonly functionName: string;
	/** Names the execution environment, as in its log. */
	readonly logStreamName: string;
	/** The invocation that runs; `undefined` between invocations and before the first. */
	readonly requestId: string | undefined;
	/** When it happened, in ms since 1970. */
	readonly at: number;
} & EnvironmentEvent;

export type EnvironmentEvent =
	| { readonly type: "state"; readonly from: EnvironmentState; readonly to: EnvironmentState }
	/**
	 * A process of the environment was seen for the first time: the runtime, or what the handler started. The process table is
	 * read every 100 ms and at each freeze, so that one that lives shorter may not be seen.
	 */
	| { readonly type: "processStarted"; readonly pid: number }
	/** It was seen no more. */
	| { readonly type: "processEnded"; readonly pid: number }
	/** The processes were stopped: the invocation is over. */
	| { readonly type: "frozen"; readonly pids: readonly number[] }
	/** The processes run again: there is an invocation. */
	| { readonly type: "thawed"; readonly pids: readonly number[] };
