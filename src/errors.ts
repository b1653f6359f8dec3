import type { JsonRpcErrorResponse, JsonRpcResponse, RequestId } from "./jsonrpc.ts";
import { sameError } from "./same-error.ts";
import { reasonOn } from "./stderr-hint.ts";

/** Every way in which the bridge itself can fail. Stable: match on it. */
export type McpStdioErrorCode =
	/** The message is not JSON, or cannot be written as JSON. */
	| "INVALID_JSON"
	/** The message is JSON but not a JSON-RPC 2.0 request or notification. */
	| "INVALID_MESSAGE"
	/** The operating system could not start the command. */
	| "SPAWN_FAILED"
	/** The server gave no answer, or a bad one, to `initialize`. */
	| "HANDSHAKE_FAILED"
	/** The server ended, or closed its output, before it answered. */
	| "SERVER_EXITED"
	/** The server's answer has neither a result nor an error. */
	| "INVALID_ANSWER"
	/** `timeoutMs` or the deadline passed. */
	| "TIMEOUT"
	/** The caller's signal fired, or the server was closed on purpose. */
	| "ABORTED"
	/** A line of the server is over `maxMessageBytes`. */
	| "MESSAGE_TOO_LARGE"
	/** The server keeps dying at start; it is not started again before a pause is over. */
	| "CRASH_LOOP"
	/** All processes were in use until the deadline. */
	| "BUSY"
	/** The middleware's `params` function failed, or gave params that are wrong. */
	| "PARAMS_FAILED"
	/** A fault of this package, or of what it was given, that nothing else explains. */
	| "INTERNAL_ERROR";

/** What the bridge was doing when it failed. */
export type McpStdioPhase = "validate" | "params" | "queue" | "spawn" | "initialize" | "request";

/** Facts about a failure, safe to show to a caller: no output of the server, no environment values. */
export type McpStdioErrorData = {
	readonly phase?: McpStdioPhase | undefined;
	/** The server's exit code, when it exited by itself. */
	readonly exitCode?: number | null | undefined;
	/** The signal that ended the server. */
	readonly signal?: NodeJS.Signals | null | undefined;
	/** Milliseconds from the call to the failure. */
	readonly elapsedMs?: number | undefined;
	/** How many processes the request was given to. */
	readonly attempts?: number | undefined;
	/** For CRASH_LOOP: milliseconds until the server is started again. */
	readonly retryAfterMs?: number | undefined;
};

export type McpStdioErrorOptions = {
	readonly data?: McpStdioErrorData | undefined;
	/** The server's first and last lines on stderr, oldest first. */
	readonly stderr?: readonly string[] | undefined;
	/** Sentences for the log alone: the server's command, what it wrote on stdout. */
	readonly details?: readonly string[] | undefined;
	readonly cause?: unknown;
};

/** The sentences for the log that a failure was made with. */
export let detailsOf: (error: McpStdioError) => readonly string[];

/**
 * A failure of the bridge, as opposed to an error that the server answered (those pass through verbatim).
 *
 * `message` is for the log: it says what happened and what to do next, and ends with the line on stderr that looks like the
 * reason. `toResponse` builds what the caller sees; what the server wrote is left out there unless asked for.
 */
export class McpStdioError extends Error {
	static {
		detailsOf = (error) => error.#details;
	}

	override readonly name = "McpStdioError";
	readonly code: McpStdioErrorCode;
	readonly data: McpStdioErrorData;
	/** The server's first lines on stderr (at most 10) and the last (at most 20), with a line between that counts the others. */
	readonly stderr: readonly string[];
	readonly #summary: string;
	readonly #details: readonly string[];

	constructor(code: McpStdioErrorCode, summary: string, options: McpStdioErrorOptions = {}) {
		const { stderr = [], details = [] } = options;
		super(
			withReason(joinSentences([summary, ...details]), stderr),
			options.cause === undefined ? undefined : { cause: options.cause },
		);
		this.code = code;
		this.data = options.data ?? {};
		this.stderr = stderr;
		this.#summary = summary;
		this.#details = details;
	}

	/** The same failure with more facts about it. */
	with(data: McpStdioErrorData, cause: unknown = this.cause): McpStdioError {
		// Not by its name: bundlers rename a class that mentions itself, and logs would show that.
		const Same = this.constructor as typeof McpStdioError;
		const options = { data: { ...this.data, ...data }, stderr: this.stderr, details: this.#details, cause };
		return sameError(this, () => new Same(this.code, this.#summary, options));
	}

	/** The JSON-RPC error response that tells a caller about this failure; `error.data.code` carries the string code. */
	toResponse(id: RequestId | null, includeStderr = false): JsonRpcErrorResponse {
		const response: JsonRpcErrorResponse = {
			jsonrpc: "2.0",
			id,
			error: {
				code: jsonRpcCodes[this.code] ?? -32603,
				message: includeStderr ? this.message : this.#summary,
				data: { code: this.code, ...this.data, ...(includeStderr ? { stderr: this.stderr } : {}) },
			},
		};
		bridgeFailures.set(response.error, this.code);
		return response;
	}
}

// By the error object, which a response keeps when it is copied to get another id.
const bridgeFailures = new WeakMap<object, McpStdioErrorCode>();

/** The code of the failure that made a response; `undefined` for what a server or a handler answered, whatever it says. */
export function bridgeFailureOf(response: JsonRpcResponse): McpStdioErrorCode | undefined {
	return "error" in response ? bridgeFailures.get(response.error) : undefined;
}

// https://www.jsonrpc.org/specification#error_object: everything else is an internal error, -32603.
const jsonRpcCodes: { readonly [code in McpStdioErrorCode]?: number } = {
	INVALID_JSON: -32700,
	INVALID_MESSAGE: -32600,
};

function joinSentences(sentences: readonly string[]): string {
	return sentences.reduce((text, sentence) => `${text}${/[.?!]$/.test(text) ? "" : "."} ${sentence}`);
}

function withReason(text: string, stderr: readonly string[]): string {
	const reason = reasonOn(stderr);
	if (reason === undefined) return text;
	const last = stderr.findLast((line) => line.trim() !== "")?.trim();
	return `${text} (${last === reason ? "last line on stderr" : "on stderr"}: ${reason})`;
}
