import { McpStdioError } from "../errors.ts";
import type { StartFacts } from "./start-facts.ts";

const refusals = new WeakMap<Error, unknown>();

/** The failure of a handshake that the server answered with an error of its own. */
export function refusedHandshake(server: string, error: unknown, facts: StartFacts): McpStdioError {
	const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
	const what = typeof message === "string" ? `: ${message}` : "";
	const failure = new McpStdioError(
		"HANDSHAKE_FAILED",
		`MCP server ${server} answered initialize with error ${typeof code === "number" ? code : "of its own"}${what}`,
		{ data: { phase: "initialize" }, ...facts },
	);
	refusals.set(failure, error);
	return failure;
}

/** The server's own error behind a failed handshake, for the caller whose `initialize` it answers. */
export function serverErrorBehind(failure: unknown): { readonly error: unknown } | undefined {
	return failure instanceof Error && refusals.has(failure) ? { error: refusals.get(failure) } : undefined;
}
