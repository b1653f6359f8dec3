import { variablesNotPassed } from "../child/variables.ts";
import type { ResolvedServerParams } from "../params.ts";
import { commandLineOf } from "./command-line.ts";

/** What is known of a process that has not answered `initialize`. */
export type StartFacts = {
	readonly stderr: readonly string[];
	/** Sentences for the log: its command, what it wrote on stdout, a variable that it misses. */
	readonly details: readonly string[];
};

/** What the log is told about a process that did not become ready. */
export function startDetails(
	params: ResolvedServerParams,
	stderr: readonly string[],
	noise: string | undefined,
): readonly string[] {
	const missing = variablesNotPassed(params, stderr);
	return [
		...(noise === undefined ? [] : [`It wrote on stdout: ${JSON.stringify(noise)}; is it an MCP server?`]),
		...missing.map(
			(name) => `${name} is set on this function and not passed to the server: name it in params.inheritEnv`,
		),
		`Its command: ${commandLineOf(params)}`,
	];
}

/** Where the log of this function is, as far as its environment says: it has what the server wrote. */
export function logPlace(): string {
	const group = process.env.AWS_LAMBDA_LOG_GROUP_NAME;
	return group ? `this function's log (${group})` : "this function's log";
}
