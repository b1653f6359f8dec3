import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type JsonRpcNotification, runStdioRequest, type StdioServerParams } from "../src/index.ts";
import { leaveNothingBehind, leftovers, until } from "./support/processes.ts";
import { callTool, errorOf, initialize, jsonOf, lifetimes, resultOf, textOf } from "./support/servers.ts";

leaveNothingBehind();

const folder = realpathSync(mkdtempSync(join(tmpdir(), "real-servers-")));
afterAll(() => rmSync(folder, { recursive: true }));

/** The params that run an installed package as its `bin` does. */
function installed(name: string, args: string[] = [], env: Record<string, string> = {}): StdioServerParams {
	const root = fileURLToPath(new URL(`../node_modules/${name}/`, import.meta.url));
	const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
	const [path] = Object.values<string>(typeof bin === "string" ? { bin } : bin);
	return { command: process.execPath, args: [join(root, path ?? ""), ...args], env };
}

const ask = (method: string, params: object = {}) => ({ jsonrpc: "2.0", id: 1, method, params });

describe.each(lifetimes)("server-everything, in the lifetime %s,", (lifetime) => {
	const everything = installed("@modelcontextprotocol/server-everything");
	const options = { lifetime, standby: 1 };
	const run = (request: object, more = {}) => runStdioRequest(everything, request, { ...options, ...more });

	test("lists its tools, resources and prompts, and uses them", async () => {
		const { serverInfo, protocolVersion } = resultOf(await run(initialize("2025-06-18")));
		expect([serverInfo.name, protocolVersion]).toEqual(["mcp-servers/everything", "2025-06-18"]);

		const { tools } = resultOf(await run(ask("tools/list")));
		expect(tools.map(({ name }: { name: string }) => name)).toEqual(expect.arrayContaining(["echo", "get-sum"]));
		expect(textOf(await run(callTool("echo", { message: "ünï" })))).toBe("Echo: ünï");
		expect(textOf(await run(callTool("get-sum", { a: 2, b: 3 })))).toBe("The sum of 2 and 3 is 5.");

		const { resources } = resultOf(await run(ask("resources/list")));
		const { contents } = resultOf(await run(ask("resources/read", { uri: resources[0].uri })));
		expect(contents[0].text.length).toBeGreaterThan(0);

		const { prompts } = resultOf(await run(ask("prompts/list")));
		expect(prompts.map(({ name }: { name: string }) => name)).toContain("simple-prompt");
		const { messages } = resultOf(await run(ask("prompts/get", { name: "simple-prompt" })));
		expect(messages[0].content.text).toBe("This is a simple prompt without arguments.");

		const { completion } = resultOf(
			await run(
				ask("completion/complete", {
					ref: { type: "ref/prompt", name: "completable-prompt" },
					argument: { name: "department", value: "S" },
				}),
			),
		);
		expect(completion.values).toEqual(["Sales", "Support"]);
	});

	test("reports the progress of a long operation", async () => {
		const progress: unknown[] = [];
		const long = callTool("trigger-long-running-operation", { duration: 0.2, steps: 4 }, { progressToken: "mine" });
		const response = await run(long, {
			onNotification: ({ method, params }: JsonRpcNotification) => {
				if (method === "notifications/progress") progress.push(params);
			},
		});
		expect(textOf(response)).toBe("Long running operation completed. Duration: 0.2 seconds, Steps: 4.");
		expect(progress).toEqual([1, 2, 3, 4].map((step) => ({ progressToken: "mine", progress: step, total: 4 })));
	});

	test("answers errors of its own", async () => {
		expect(errorOf(await run(ask("no/such/method")))).toMatchObject({ code: -32601 });
		expect(errorOf(await run(ask("resources/read", { uri: "no://such" }))).code).toBeLessThan(0);
	});
});

describe("server-memory", () => {
	test.each(lifetimes)("keeps its graph in a file, so that it survives in the lifetime %s", async (lifetime) => {
		const file = join(folder, `memory-${lifetime}.jsonl`);
		const memory = installed("@modelcontextprotocol/server-memory", [], { MEMORY_FILE_PATH: file });
		const options = { lifetime, standby: 1 };
		const entities = [{ name: "Ada", entityType: "person", observations: ["writes programs"] }];
		resultOf(await runStdioRequest(memory, callTool("create_entities", { entities }), options));
		expect(jsonOf(await runStdioRequest(memory, callTool("read_graph"), options))).toMatchObject({ entities });
		expect(readFileSync(file, "utf8")).toContain("Ada");
	});
});

describe("server-sequential-thinking", () => {
	const thinking = installed("@modelcontextprotocol/server-sequential-thinking");

	test.each([
		["request", [1, 1, 1]],
		["environment", [1, 2, 3]],
	] as const)("keeps its thoughts in memory: in the lifetime %s it has %j", async (lifetime, lengths) => {
		const told: string[] = [];
		const seen = [];
		for (const thoughtNumber of [1, 2, 3]) {
			const thought = { thought: `Thought ${thoughtNumber}`, thoughtNumber, totalThoughts: 3, nextThoughtNeeded: true };
			const response = await runStdioRequest(thinking, callTool("sequentialthinking", thought), {
				lifetime,
				standby: 1,
				observer: { stderr: ({ line }) => told.push(line) },
			});
			seen.push(jsonOf(response).thoughtHistoryLength);
		}
		expect(seen).toEqual(lengths);
		expect(told.join("\n")).toContain("Thought 2");
	});
});

describe("server-filesystem", () => {
	test.each(lifetimes)("reads files in its folder and refuses others, in the lifetime %s", async (lifetime) => {
		const path = join(folder, "file.txt");
		writeFileSync(path, "Grüße aus der Datei\n");
		const files = installed("@modelcontextprotocol/server-filesystem", [folder]);
		const options = { lifetime, standby: 1 };
		const read = async (file: string) =>
			resultOf(await runStdioRequest(files, callTool("read_text_file", { path: file }), options));
		expect((await read(path)).content[0].text).toBe("Grüße aus der Datei\n");
		const refused = await read("/etc/hostname");
		expect(refused).toMatchObject({ isError: true });
		expect(refused.content[0].text).toContain("Access denied");
	});
});

describe("openapi-mcp-server", () => {
	let api: Server;
	let baseUrl: string;
	const paths = {
		"/pets/{petId}": {
			get: {
				operationId: "getPet",
				summary: "Get a pet",
				parameters: [{ name: "petId", in: "path", required: true, schema: { type: "string" } }],
				responses: { 200: { description: "The pet" } },
			},
		},
	};

	beforeAll(async () => {
		api = createServer((request, response) => {
			const body =
				request.url === "/openapi.json"
					? { openapi: "3.0.0", info: { title: "Pets", version: "1.0.0" }, servers: [{ url: baseUrl }], paths }
					: { url: request.url, key: request.headers["x-api-key"] };
			response.setHeader("content-type", "application/json").end(JSON.stringify(body));
		});
		await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
		baseUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
	});
	afterAll(() => {
		api.closeAllConnections();
		api.close();
	});

	test.each(lifetimes)("makes tools of an API and calls it, in the lifetime %s", async (lifetime) => {
		const openapi = installed("@ivotoby/openapi-mcp-server", [], {
			API_BASE_URL: baseUrl,
			OPENAPI_SPEC_PATH: `${baseUrl}/openapi.json`,
			API_HEADERS: "X-API-Key:key",
		});
		const options = { lifetime, standby: 1 };
		const { tools } = resultOf(await runStdioRequest(openapi, ask("tools/list"), options));
		expect(tools).toHaveLength(1);
		const response = await runStdioRequest(openapi, callTool(tools[0].name, { petId: "7" }), options);
		expect(jsonOf(response)).toEqual({ url: "/pets/7", key: "key" });
	});
});

test("real servers end after the answer", async () => {
	for (const name of ["everything", "memory", "sequential-thinking"]) {
		resultOf(
			await runStdioRequest(installed(`@modelcontextprotocol/server-${name}`), ask("tools/list"), { standby: 0 }),
		);
	}
	await until("nothing is left", () => leftovers().length === 0);
});
