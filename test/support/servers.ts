import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { JsonRpcRequest, JsonRpcResponse, Lifetime, StdioServerParams } from "../../src/index.ts";

export const lifetimes: readonly Lifetime[] = ["request", "environment"];

/** The params that run a server of `test/fixtures/servers`. */
export function fixture(name: string, ...args: string[]): StdioServerParams {
	const path = fileURLToPath(new URL(`../fixtures/servers/${name}.mjs`, import.meta.url));
	return { command: process.execPath, args: [path, ...args] };
}

/** The params that run a server made of the fixtures' harness for a single test. */
export function inlineFixture(source: string): StdioServerParams {
	const harness = new URL("../fixtures/servers/harness.mjs", import.meta.url).href;
	const code = `import { callTool, initialize, never, notify, ProtocolError, send, serve, text } from ${JSON.stringify(harness)};\n${source}`;
	return { command: process.execPath, args: ["--input-type=module", "--eval", code, "inline"] };
}

export type CallOptions = {
	readonly id?: string | number;
	readonly progressToken?: string | number;
};

/** A `tools/call`. */
export function callTool(
	name: string,
	args: Record<string, unknown> = {},
	{ id = 1, progressToken }: CallOptions = {},
): JsonRpcRequest {
	const _meta = progressToken === undefined ? undefined : { progressToken };
	return { jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: args, ...(_meta ? { _meta } : {}) } };
}

export const echo: JsonRpcRequest = callTool("echo", { message: "hello" });
export const pid: JsonRpcRequest = callTool("pid");

export function initialize(protocolVersion: string, id: string | number = 1): JsonRpcRequest {
	const clientInfo = { name: "test", version: "1.0.0" };
	return { jsonrpc: "2.0", id, method: "initialize", params: { protocolVersion, capabilities: {}, clientInfo } };
}

/** The result of a response; fails the test when it has none. */
// biome-ignore lint/suspicious/noExplicitAny: the shape is what the test asserts.
export function resultOf(response: JsonRpcResponse | undefined): any {
	expect(response).toHaveProperty("result");
	return (response as { result: unknown }).result;
}

/** The first text of a tool's result. */
export function textOf(response: JsonRpcResponse | undefined): string {
	return resultOf(response).content[0].text;
}

/** What a fixture's tool answered as JSON in its text. */
// biome-ignore lint/suspicious/noExplicitAny: the shape is what the test asserts.
export function jsonOf(response: JsonRpcResponse | undefined): any {
	return JSON.parse(textOf(response));
}

export type BridgeError = {
	readonly code: number;
	readonly message: string;
	readonly data: { readonly code: string; readonly phase?: string; readonly [fact: string]: unknown };
};

/** The error of a response; fails the test when it has none. */
export function errorOf(response: JsonRpcResponse | undefined): BridgeError {
	expect(response).toHaveProperty("error");
	return (response as { error: BridgeError }).error;
}

/** What the bridge failed with. */
export function failureOf(response: JsonRpcResponse | undefined): BridgeError["data"] {
	return errorOf(response).data;
}
