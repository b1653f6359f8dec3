import type { ProcessExit } from "../child/process.ts";
import { McpStdioError, type McpStdioErrorCode, type McpStdioErrorData } from "../errors.ts";
import type { ResolvedServerParams } from "../params.ts";
import { logPlace, type StartFacts } from "./start-facts.ts";

/** Builds a session's errors: what happened to the server, in which phase, and what is known of it. */
export type SessionFailures = {
	readonly of: (
		code: McpStdioErrorCode,
		what: string,
		data?: McpStdioErrorData,
		details?: readonly string[],
	) => McpStdioError;
	/** The failure of what an exit leaves without an answer. */
	readonly byExit: (exit: ProcessExit) => McpStdioError;
};

export function createSessionFailures(
	{ name }: ResolvedServerParams,
	isStarting: () => boolean,
	stderr: () => readonly string[],
	startFacts: () => StartFacts,
): SessionFailures {
	const of: SessionFailures["of"] = (code, what, data = {}, details = []) => {
		const phase = isStarting() ? "initialize" : "request";
		const facts = isStarting() ? startFacts() : { stderr: stderr(), details };
		return new McpStdioError(code, `MCP server ${name} ${what}`, { data: { phase, ...data }, ...facts });
	};
	return {
		of,
		byExit({ exitCode, signal }) {
			const how = signal ? `was killed by ${signal}` : `exited with code ${exitCode}`;
			return isStarting()
				? of(
						"HANDSHAKE_FAILED",
						`${how} before it answered initialize; ${logPlace()} has its command, to be run by hand`,
						{ exitCode, signal },
					)
				: of("SERVER_EXITED", `${how} before it answered; its stderr, in ${logPlace()}, may say why`, {
						exitCode,
						signal,
					});
		},
	};
}
