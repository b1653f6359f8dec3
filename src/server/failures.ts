import type { Interruption } from "../deadline.ts";
import { McpStdioError } from "../errors.ts";
import type { StartFacts } from "../session/start-facts.ts";

/** What is told to a caller that stopped waiting before its request reached a process. */
export type InterruptedError = (interruption: Interruption) => McpStdioError;

export function interruptedWhileQueued(server: string): InterruptedError {
	return ({ code, limitMs, cause }) =>
		new McpStdioError(
			code === "TIMEOUT" ? "BUSY" : code,
			`MCP server ${server} had no free process ${until(code, limitMs)}; raise maxProcesses, memory or the function's concurrency, or use the lifetime "environment"`,
			{ data: { phase: "queue" }, cause },
		);
}

/** `factsOf` is asked for the process that is awaited, `wasPrewarmed` whether prewarming it is still worth a word. */
export function interruptedWhileStarting(
	server: string,
	factsOf: () => StartFacts | undefined,
	wasPrewarmed: () => boolean,
): InterruptedError {
	return ({ code, limitMs, cause }) => {
		const more = wasPrewarmed() ? "allow more time or memory" : "allow more time or memory, or prewarm it";
		return new McpStdioError(
			code,
			`MCP server ${server} had not answered initialize ${until(code, limitMs)}; ${more}${speaksStdio}`,
			{ data: { phase: "initialize" }, ...factsOf(), cause },
		);
	};
}

/** Most servers that hang at their start have opened a port in place of reading stdin. */
const speaksStdio =
	". Does it speak MCP over stdio? Some servers need an argument for that, such as --stdio or --transport stdio";

function until(code: Interruption["code"], limitMs: number): string {
	return code === "TIMEOUT" ? `within ${Math.max(0, Math.round(limitMs))} ms` : "when the caller aborted";
}

export function closedError(server: string): McpStdioError {
	return new McpStdioError("ABORTED", `MCP server ${server} was closed by closeStdioServers`, {
		data: { phase: "queue" },
	});
}

export function hungHandshake(server: string, deadlines: number, facts: StartFacts | undefined): McpStdioError {
	return new McpStdioError(
		"HANDSHAKE_FAILED",
		`MCP server ${server} did not answer initialize before the deadlines of ${deadlines} requests in a row; it is started anew${speaksStdio}`,
		{ data: { phase: "initialize" }, ...facts },
	);
}
