import type { Interruption } from "../deadline.ts";
import { McpStdioError } from "../errors.ts";

/** What a caller is told who stopped waiting before its request reached a process. */
export type InterruptedError = (interruption: Interruption) => McpStdioError;

export function interruptedWhileQueued(server: string): InterruptedError {
	return ({ code, limitMs, cause }) =>
		new McpStdioError(
			code === "TIMEOUT" ? "BUSY" : code,
			`MCP server ${server} had no free process ${until(code, limitMs)}; raise maxProcesses, memory or the function's concurrency, or use the lifetime "environment"`,
			{ data: { phase: "queue" }, cause },
		);
}

export function interruptedWhileStarting(server: string): InterruptedError {
	return ({ code, limitMs, cause }) =>
		new McpStdioError(
			code,
			`MCP server ${server} had not answered initialize ${until(code, limitMs)}; allow more time or memory, or prewarm it`,
			{ data: { phase: "initialize" }, cause },
		);
}

function until(code: Interruption["code"], limitMs: number): string {
	return code === "TIMEOUT" ? `within ${Math.max(0, Math.round(limitMs))} ms` : "when the caller aborted";
}

export function closedError(server: string): McpStdioError {
	return new McpStdioError("ABORTED", `MCP server ${server} was closed by closeStdioServers`, {
		data: { phase: "queue" },
	});
}

export function hungHandshake(server: string, deadlines: number): McpStdioError {
	return new McpStdioError(
		"HANDSHAKE_FAILED",
		`MCP server ${server} did not answer initialize before the deadlines of ${deadlines} requests in a row; it is started anew`,
		{ data: { phase: "initialize" } },
	);
}

const refusals = new WeakMap<Error, unknown>();

/** The failure of a handshake that the server answered with an error of its own. */
export function refusedHandshake(server: string, error: unknown, stderr: readonly string[]): McpStdioError {
	const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
	const what = typeof message === "string" ? `: ${message}` : "";
	const failure = new McpStdioError(
		"HANDSHAKE_FAILED",
		`MCP server ${server} answered initialize with error ${typeof code === "number" ? code : "of its own"}${what}`,
		{ data: { phase: "initialize" }, stderr },
	);
	refusals.set(failure, error);
	return failure;
}

/** The server's own error behind a failed handshake, for the caller whose `initialize` it answers. */
export function serverErrorBehind(failure: unknown): { readonly error: unknown } | undefined {
	return failure instanceof Error && refusals.has(failure) ? { error: refusals.get(failure) } : undefined;
}
