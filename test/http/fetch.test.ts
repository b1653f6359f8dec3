import { describe, expect, test } from "vitest";
import { createMcpFetch, type McpFetchOptions } from "../../src/http/index.ts";
import type { StdioServerParams } from "../../src/index.ts";
import { leaveNothingBehind, leftovers, until } from "../support/processes.ts";
import { record, silent } from "../support/recorder.ts";
import { callTool, echo, fixture, initialize } from "../support/servers.ts";

leaveNothingBehind();

function create(options: McpFetchOptions = {}, params: StdioServerParams = fixture("well-behaved")) {
	const fetchMcp = createMcpFetch(params, { standby: 0, observer: silent, ...options });
	return (body: unknown, init: RequestInit & { readonly path?: string } = {}) => {
		const { path = "/mcp", headers, ...rest } = init;
		return fetchMcp(
			new Request(`http://127.0.0.1:3000${path}`, {
				method: "POST",
				headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
				body: typeof body === "string" ? body : JSON.stringify(body),
				...rest,
			}),
		);
	};
}

const messagesOf = (text: string) => [...text.matchAll(/^data: (.*)$/gm)].map(([, data = ""]) => JSON.parse(data));

describe("createMcpFetch", () => {
	test("answers a request, an initialize and a notification", async () => {
		const fetchMcp = create({ lifetime: "environment" });
		const response = await fetchMcp(echo);
		expect(response.status).toBe(200);
		expect(response.headers.get("content-type")).toBe("application/json");
		expect(await response.json()).toMatchObject({ id: 1, result: { content: [{ text: "Echo: hello" }] } });
		expect(await (await fetchMcp(initialize("2025-06-18"))).json()).toMatchObject({
			result: { protocolVersion: "2025-06-18" },
		});
		const accepted = await fetchMcp({ jsonrpc: "2.0", method: "notifications/initialized" });
		expect([accepted.status, await accepted.text()]).toEqual([202, ""]);
	});

	test("streams progress while the tool runs", async () => {
		const response = await create()(callTool("progress", { steps: 3 }, { progressToken: "t" }));
		expect(response.headers.get("content-type")).toBe("text/event-stream");
		const messages = messagesOf(await response.text());
		expect(messages.map(({ method }) => method)).toEqual([...Array(3).fill("notifications/progress"), undefined]);
	});

	test("answers batches where the revision has them", async () => {
		const response = await create({ lifetime: "environment" })([echo, { ...echo, id: 2 }], {
			headers: { "mcp-protocol-version": "2025-03-26" },
		});
		expect(await response.json()).toMatchObject([{ id: 1 }, { id: 2 }]);
	});

	test.each<[string, unknown, RequestInit & { path?: string }, number]>([
		["a foreign origin", echo, { headers: { origin: "https://evil.example.com" } }, 403],
		["GET", undefined, { method: "GET", body: null }, 405],
		["another path", echo, { path: "/other" }, 404],
		["what is no JSON", "{", {}, 400],
		["what is no message", { id: 1 }, {}, 400],
		["another media type", echo, { headers: { "content-type": "text/plain" } }, 415],
		["an unknown version", echo, { headers: { "mcp-protocol-version": "1" } }, 400],
		["more than six megabytes", `"${"x".repeat(7 * 1024 * 1024)}"`, {}, 413],
	])("refuses %s, and starts no process", async (_, body, init, status) => {
		const response = await create({ path: "/mcp" })(body, init);
		expect(response.status).toBe(status);
		expect(await response.json()).toMatchObject({ jsonrpc: "2.0", error: {} });
		expect(leftovers()).toEqual([]);
	});

	test("answers failures of the bridge with 5xx", async () => {
		expect((await create({}, fixture("exits-at-once"))(echo)).status).toBe(502);
		expect((await create({ timeoutMs: 600 })(callTool("sleep", { ms: 60_000 }))).status).toBe(504);
	});

	test("ends the process when the client goes before there is an answer", async () => {
		const told = record();
		const controller = new AbortController();
		const gone = create({ observer: told.observer })(callTool("sleep", { ms: 60_000 }), { signal: controller.signal });
		await until("the request has reached the server", () => told.request.length === 1);
		controller.abort();
		await gone;
		expect(told.failure).toMatchObject([{ error: { code: "ABORTED" } }]);
		await until("nothing is left", () => leftovers().length === 0);
	});

	test("ends the process when the client goes in the middle of the stream", async () => {
		const told = record();
		const params = fixture("well-behaved");
		const call = callTool("progress", { steps: 1 }, { progressToken: "t" });
		const response = await create({ observer: told.observer }, params)(call);
		await response.body?.cancel();
		await until("nothing is left", () => leftovers().length === 0);
	});

	test.each([
		[{ allowedOrigins: ["https://a.example.com/path"] }, "options.allowedOrigins must be an array of origins"],
		[{ path: "mcp" }, "options.path must be a path that begins with a slash"],
		[{ resourceMetadata: {} }, "options.resourceMetadata must be"],
		[{ deadline: 5 }, "options.deadline is not an option"],
	])("throws for %j", (options, message) => {
		expect(() => createMcpFetch({ command: "node" }, options as McpFetchOptions)).toThrow(message);
	});
});
