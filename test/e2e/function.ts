import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { Lifetime } from "../../src/index.ts";
import type { LocalFunctionOptions } from "../../src/local/index.ts";
import { listProcesses, processTree } from "../../src/process/table.ts";
import { type Runtime, runtimes, startLambda, type TestLambda } from "../local/lambda.ts";

export const everything: string = fileURLToPath(
	import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js"),
);

export function fixtureServer(name: string): string {
	return fileURLToPath(new URL(`../fixtures/servers/${name}.mjs`, import.meta.url));
}

type Combination = Runtime & { readonly lifetime: Lifetime };

/** For `describe.each`, with `skipIf`. */
export const combinations: readonly Combination[] = runtimes.flatMap((runtime) =>
	(["request", "environment"] as const).map((lifetime) => ({ ...runtime, lifetime })),
);

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
		timeoutMs: 100_000,
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

/** Asks a server that counts its calls, and lets it freeze after each: a kept process counts on, any other begins anew. */
export async function keepsItsPromise({ lifetime, ...runtime }: Combination, rounds: number): Promise<void> {
	const lambda = await startLambda({ counts: mcpFunction(fixtureServer("well-behaved"), lifetime, runtime) });
	const counters: number[] = [];
	for (let round = 0; round < rounds; round += 1) {
		counters.push(Number(await callText(lambda, "counts", "counter")));
	}
	const kept = lifetime === "environment";
	expect(counters).toEqual(counters.map((_, index) => (kept ? index + 1 : 1)));
	expect(lambda.environments("counts")).toHaveLength(1);
	expect(childrenOf(lambda, "counts")).toBeLessThanOrEqual(kept ? 1 : 3);
}
