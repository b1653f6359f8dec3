import type { McpStdioError } from "./errors.ts";
import type { RequestId } from "./jsonrpc.ts";

/** Which child process an event is about. */
export type ServerProcessInfo = {
	/** The server's name, from `params.name` or its command line. */
	readonly server: string;
	readonly pid: number;
	/** What the request that the event is about was given as `correlation`, when it is about exactly one. */
	readonly correlation?: unknown;
};

/**
 * Where the process that serves a request came from: kept from earlier ones, or new. A request has it from `"standby"` if the
 * process was started ahead and ready when the request came, else from `"fresh"`.
 */
export type SessionSource = "fresh" | "standby" | "kept";

/** Why a child process ended: what happened first, not what finished it off. */
export type ExitReason =
	/** It ended by itself. */
	| "exited"
	/** Its one request was answered. */
	| "answered"
	/** The request it served ran into its deadline, or was aborted. */
	| "cancelled"
	/** It could not be initialised. */
	| "handshake"
	/** It closed its output while alive. */
	| "output-closed"
	/** It was silent after a cancellation. */
	| "silent"
	/** It wrote without pause, and did nothing else. */
	| "flood"
	/** It was started with credentials that have changed since. */
	| "stale"
	/** It was not needed any more, or its server was closed. */
	| "closed";

/**
 * What the core tells about its work. Every member is optional; what they throw is ignored. None is given argument
 * values, results or environment values; `stderr` and `noise` carry what the server wrote.
 */
export type Observer = {
	/** A child process was started, within `elapsedMs`: for a request, as a standby, or to be kept. */
	readonly spawn?: (event: ServerProcessInfo & { readonly source: SessionSource; readonly elapsedMs: number }) => void;
	/** A child process has answered `initialize`, `elapsedMs` after it was started. */
	readonly ready?: (event: ServerProcessInfo & { readonly source: SessionSource; readonly elapsedMs: number }) => void;
	/** A request was given to a child process, after `waitedMs` of waiting for it. */
	readonly request?: (
		event: ServerProcessInfo & {
			readonly requestId: RequestId;
			readonly method: string;
			readonly source: SessionSource;
			readonly waitedMs: number;
		},
	) => void;
	/** A child process answered a request with a result or an error of its own. */
	readonly answer?: (
		event: ServerProcessInfo & {
			readonly requestId: RequestId;
			readonly method: string;
			readonly outcome: "result" | "error";
			/** Milliseconds since the call. */
			readonly elapsedMs: number;
		},
	) => void;
	/** The bridge failed; the caller gets a JSON-RPC error. `requestId` is absent for a standby or prewarm. */
	readonly failure?: (event: {
		readonly server: string;
		readonly error: McpStdioError;
		readonly requestId?: RequestId | undefined;
		readonly method?: string | undefined;
		readonly correlation?: unknown;
	}) => void;
	/** A line on the server's stderr, with the id of the request being served when there is exactly one. */
	readonly stderr?: (
		event: ServerProcessInfo & { readonly line: string; readonly requestId?: RequestId | undefined },
	) => void;
	/**
	 * Output that answers nothing: text that is not JSON-RPC, or a message that no request waits for. At most 200 characters
	 * of it. `first` is set for the first text of a process that is no message: it tells what program that is.
	 */
	readonly noise?: (
		event: ServerProcessInfo & { readonly problem: string; readonly text: string; readonly first: boolean },
	) => void;
	/** A child process ended. */
	readonly exit?: (
		event: ServerProcessInfo & {
			readonly exitCode: number | null;
			readonly signal: NodeJS.Signals | null;
			readonly reason: ExitReason;
		},
	) => void;
};

/** Tells an observer, and never lets it disturb the work. */
export function tell<O extends object, K extends keyof O>(
	observer: O | undefined,
	kind: K,
	event: Parameters<Extract<O[K], (event: never) => unknown>>[0],
): void {
	try {
		const told: unknown = (observer?.[kind] as ((event: unknown) => unknown) | undefined)?.(event);
		if (told instanceof Promise) told.catch(() => {});
	} catch {
		// An observer is a guest: what it throws is its own affair.
	}
}

const kinds: readonly (keyof Observer)[] = [
	"spawn",
	"ready",
	"request",
	"answer",
	"failure",
	"stderr",
	"noise",
	"exit",
];

/** The observers as one, with only the methods that one of them has. */
export function combineObservers(observers: readonly Observer[]): Observer {
	const [only, ...others] = observers;
	if (only && others.length === 0) return only;
	const combined: Partial<Record<keyof Observer, (event: never) => void>> = {};
	for (const kind of kinds) {
		const tellers = observers.filter((observer) => observer[kind]);
		if (tellers.length === 0) continue;
		combined[kind] = (event) => {
			for (const observer of tellers) tell(observer, kind, event);
		};
	}
	return combined as Observer;
}

/** Used when a caller gives no observer: failures go to stderr as one JSON line each, so that none is silent. */
export const failureObserver: Observer = {
	failure({ server, error, requestId, method }) {
		console.error(
			JSON.stringify({
				level: "ERROR",
				message: cut(error.message, longestMessage),
				server: cut(server, longestField),
				code: error.code,
				...error.data,
				method: cut(method, longestField),
				requestId: typeof requestId === "string" ? cut(requestId, longestField) : requestId,
				cause: describeCause(error.cause),
				stderr: error.stderr.map((line) => cut(line, longestField)),
			}),
		);
	},
};

// A line in CloudWatch Logs has at most 256 KB, and costs by its length: what a caller sends must not decide over that.
const longestMessage = 4000;
const longestField = 1000;

function cut<T extends string | undefined>(text: T, longest: number): T | string {
	return text === undefined || text.length <= longest ? text : `${text.slice(0, longest)}… (${text.length} characters)`;
}

function describeCause(cause: unknown): string | undefined {
	if (cause === undefined) return undefined;
	try {
		return cut(String(cause), longestField);
	} catch {
		return "(it cannot be shown)";
	}
}
