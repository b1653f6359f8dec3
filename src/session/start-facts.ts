import { architectureProblem } from "../child/architecture.ts";
import { isAwsName, missesCredentials, variablesNotPassed } from "../child/variables.ts";
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
	const said = noise === undefined ? stderr : [noise, ...stderr];
	const missing = variablesNotPassed(params, said);
	const wantsAws = missing.some(isAwsName) || missesCredentials(params, said);
	const foreign = architectureProblem(params);
	return [
		...(noise === undefined ? [] : [`It wrote on stdout: ${JSON.stringify(noise)}; is it an MCP server?`]),
		...(foreign === undefined ? [] : [foreign]),
		...missing
			.filter((name) => !isAwsName(name))
			.map((name) => `${name} is set on this function but not passed to the server: list it in params.inheritEnv`),
		...(wantsAws ? ['It gets no AWS credentials and region: set params.inheritEnv to "aws"'] : []),
		`Its command: ${commandLineOf(params)}`,
	];
}

/** Where the log of this function is, as far as its environment says: it has what the server wrote. */
export function logPlace(): string {
	const group = process.env.AWS_LAMBDA_LOG_GROUP_NAME;
	const stream = process.env.AWS_LAMBDA_LOG_STREAM_NAME;
	if (!group) return "this function's log";
	return `this function's log (${group}${stream ? `, stream ${stream}` : ""})`;
}
