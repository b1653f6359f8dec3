import { fileURLToPath } from "node:url";
import type { Lifetime } from "../../src/index.ts";
import type { LocalFunctionOptions } from "../../src/local/index.ts";
import { listProcesses, processTree } from "../../src/process/table.ts";
import type { Runtime, TestLambda } from "../local/lambda.ts";

export const everything: string = fileURLToPath(
	import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js"),
);

export function fixtureServer(name: string): string {
	return fileURLToPath(new URL(`../fixtures/servers/${name}.mjs`, import.meta.url));
}

/** A function that runs an MCP server, with the built package in it. */
export function mcpFunction(
	server: string,
	lifetime: Lifetime,
	{ runtime }: Pick<Runtime, "runtime">,
	options: Partial<LocalFunctionOptions> = {},
): LocalFunctionOptions {
	return {
		handler: fileURLToPath(new URL("../fixtures/functions/mcp.mjs", import.meta.url)),
		runtime,
		memorySizeMb: 1024,
		timeoutMs: 20_000,
		...options,
		environment: { SERVER: JSON.stringify([server]), LIFETIME: lifetime, ...options.environment },
	};
}

let lastId = 0;

export function request(method: string, params?: Record<string, unknown>): Record<string, unknown> {
	lastId += 1;
	return { jsonrpc: "2.0", id: lastId, method, ...(params ? { params } : {}) };
}

export function toolCall(name: string, args: Record<string, unknown> = {}): Record<string, unknown> {
	return request("tools/call", { name, arguments: args });
}

/** Calls a tool of a function's server; gives the text it answers. */
export async function callText(lambda: TestLambda, fn: string, name: string, args = {}): Promise<string> {
	const { payload, functionError } = await lambda.invoke(fn, toolCall(name, args));
	if (functionError || payload.error) throw new Error(JSON.stringify(payload));
	return payload.result.content[0].text;
}

/** How many processes an environment has below its runtime. */
export function childrenOf(lambda: TestLambda, fn: string): number {
	const entries = listProcesses();
	return lambda
		.environments(fn)
		.flatMap(({ pid }) => (pid === undefined ? [] : processTree(entries, pid).filter((entry) => entry.pid !== pid)))
		.filter((entry) => !entry.zombie).length;
}
