import { randomUUID } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import middy7 from "@middy/core";
import { executionModeStreamifyResponse } from "@middy/core/StreamifyResponse";
import middy6 from "middy-core-6";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type McpLambdaContext, type McpStdioServerOptions, mcpStdioServer } from "../../middleware/index.ts";
import type { StdioServerParams } from "../../src/index.ts";
import { leaveNothingBehind, leftovers, until } from "../support/processes.ts";
import { record, silent } from "../support/recorder.ts";
import { callTool, echo, fixture, inlineFixture } from "../support/servers.ts";
import { lambdaContext } from "./middy.ts";

leaveNothingBehind();

type StreamingHandler = ((event: unknown, stream: PassThrough, context: unknown) => Promise<void>) & {
	use(middleware: object): StreamingHandler;
};
type Handler = (event: unknown, context: McpLambdaContext) => unknown;

const wellBehaved = fixture("well-behaved");
const server = (params: StdioServerParams, options: McpStdioServerOptions = {}) =>
	mcpStdioServer(params, { streamifyResponse: true, prewarm: false, standby: 0, observer: silent, ...options });

/** A call with a progress token that the tool uses at once, and then waits until the file `gate` exists. */
const gated = (gate: string) => callTool("gated", { gate }, { progressToken: "t" });
const gatedServer = inlineFixture(`
	import { existsSync, writeFileSync } from "node:fs";
	serve({
		tools: {
			gated: async ({ gate }, call) => {
				call.signal.addEventListener("abort", () => writeFileSync(gate + ".cancelled", ""));
				notify("notifications/progress", { progressToken: call.progressToken, progress: 1 });
				while (!existsSync(gate)) await new Promise((resolve) => setTimeout(resolve, 10));
				notify("notifications/progress", { progressToken: call.progressToken, progress: 2 });
				return "opened";
			},
		},
	});
`);

function createGate(): string {
	const gate = join(tmpdir(), `gate-${randomUUID()}`);
	onTestFinished(async () => {
		await rm(gate, { force: true });
		await rm(`${gate}.cancelled`, { force: true });
	});
	return gate;
}

// biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests assert.
const parseLines = (written: string): any[] => {
	// The answer to a notification is the payload that clients know, to the letter.
	expect(written === "{}" || written.endsWith("\n")).toBe(true);
	return written
		.trimEnd()
		.split("\n")
		.map((line) => JSON.parse(line));
};

// Lambda's Node.js runtimes bring it: https://docs.aws.amazon.com/lambda/latest/dg/response-streaming-tutorial.html
beforeAll(() => {
	Object.assign(globalThis, { awslambda: { streamifyResponse: (handler: unknown) => handler } });
});

describe.each([
	[
		"Middy 7",
		(handler?: Handler, plugin = {}) =>
			middy7(handler as never, { executionMode: executionModeStreamifyResponse, ...plugin }),
	],
	["Middy 6", (handler?: Handler, plugin = {}) => middy6(handler as never, { streamifyResponse: true, ...plugin })],
])("in the streaming mode of %s, the result", (_, middy) => {
	const create = (params = wellBehaved, options: McpStdioServerOptions = {}, handler?: Handler): StreamingHandler =>
		(middy(handler ?? ((() => {}) as Handler)) as unknown as StreamingHandler).use(server(params, options));

	async function invoke(handle: StreamingHandler, event: unknown): Promise<ReturnType<typeof parseLines>> {
		const stream = new PassThrough();
		const [written] = await Promise.all([text(stream), handle(event, stream, lambdaContext())]);
		return parseLines(written);
	}

	test.each([
		["a request", echo, { id: 1, result: { content: [{ text: "Echo: hello" }] } }],
		["a notification", { jsonrpc: "2.0", method: "notifications/initialized" }, {}],
		["what is invalid", [echo], { id: null, error: { code: -32600 } }],
		["what is no MCP event", { source: "aws.events" }, { error: { code: -32600 } }],
		["a large answer", callTool("payload", { bytes: 100_000 }), { result: { content: [{ type: "text" }] } }],
	])("is one line of JSON for %s", async (_kind, event, expected) => {
		const lines = await invoke(create(), event);
		expect(lines).toMatchObject([expected]);
	});

	test("brings the server's notifications before the response, in order", async () => {
		const progress = await invoke(create(), callTool("progress", { steps: 3 }, { progressToken: 7 }));
		expect(progress).toMatchObject([
			{ method: "notifications/progress", params: { progressToken: 7, progress: 1 } },
			{ method: "notifications/progress", params: { progressToken: 7, progress: 2 } },
			{ method: "notifications/progress", params: { progressToken: 7, progress: 3 } },
			{ id: 1, result: { content: [{ text: "Done" }] } },
		]);
		const logged = await invoke(create(fixture("logs-before-answer")), echo);
		expect(logged.map(({ params, id }) => params?.data ?? id)).toEqual(["first", "second", "third", 1]);
	});

	test("is without notifications that are about no request", async () => {
		const changing = inlineFixture(`
			serve({ before: ({ method }) => { if (method === "tools/call") notify("notifications/tools/list_changed"); } });
		`);
		expect(await invoke(create(changing), echo)).toMatchObject([{ id: 1, result: {} }]);
	});

	test("brings a notification while the tool still runs", async () => {
		const gate = createGate();
		const stream = new PassThrough();
		const handled = create(gatedServer)(gated(gate), stream, lambdaContext());
		const [first] = await new Promise<Buffer[]>((resolve) => stream.once("data", (chunk) => resolve([chunk])));
		expect(JSON.parse(String(first))).toMatchObject({ params: { progressToken: "t", progress: 1 } });
		writeFileSync(gate, "");
		const [rest] = await Promise.all([text(stream), handled]);
		expect(parseLines(rest)).toMatchObject([
			{ params: { progress: 2 } },
			{ result: { content: [{ text: "opened" }] } },
		]);
	});

	test("brings the notifications of what the handler forwarded itself", async () => {
		const handler: Handler = async (_event, { mcp }) => {
			const [request] = mcp?.requests ?? [];
			if (request) await mcp?.forward(request);
		};
		const call = callTool("progress", { steps: 2 }, { progressToken: 7 });
		const lines = await invoke(create(wellBehaved, {}, handler), call);
		expect(lines.map(({ params, id }) => params?.progress ?? id)).toEqual([1, 2, 1]);
	});

	test("ends with an error when the server dies after a notification", async () => {
		const dying = inlineFixture(`
			serve({ tools: { die: () => { notify("notifications/message", { level: "info", data: "last words" }); setTimeout(() => process.exit(3), 50); return never; } } });
		`);
		expect(await invoke(create(dying), callTool("die"))).toMatchObject([
			{ params: { data: "last words" } },
			{ id: 1, error: { data: { code: "SERVER_EXITED", exitCode: 3 } } },
		]);
	});

	test("ends with an error before the deadline when a notification was the last that came", async () => {
		const stream = new PassThrough();
		const handled = create(gatedServer)(gated(createGate()), stream, lambdaContext(2000));
		const [written] = await Promise.all([text(stream), handled]);
		expect(parseLines(written)).toMatchObject([{ params: { progress: 1 } }, { error: { data: { code: "TIMEOUT" } } }]);
	});

	test.each([
		["throws", {}],
		["responds", { timeoutEarlyResponse: () => ({ statusCode: 408 }) }],
	])("is an error when Middy's early timeout %s while the handler forwards", async (_what, plugin) => {
		const handler: Handler = (_event, { mcp }) => mcp?.requests[0] && mcp.forward(mcp.requests[0]);
		const handle = middy(handler, { timeoutEarlyInMillis: 1500, ...plugin }) as unknown as StreamingHandler;
		const stream = new PassThrough();
		const call = callTool("silent");
		const silentTool = inlineFixture("serve({ tools: { silent: () => never } });");
		const handled = handle.use(server(silentTool))(call, stream, lambdaContext(3000));
		const [written] = await Promise.all([text(stream), handled]);
		expect(parseLines(written)).toMatchObject([{ id: 1, error: { data: { code: "TIMEOUT" } } }]);
		await until("no process is left", () => leftovers().length === 0);
	});

	test("is given up, with the request, when nobody reads it any more", async () => {
		const gate = createGate();
		const stream = new PassThrough();
		const handled = create(gatedServer, { lifetime: "environment" })(gated(gate), stream, lambdaContext());
		stream.once("data", () => stream.destroy(new Error("gone")));
		await expect(handled).rejects.toThrow("gone");
		await until("the server was told", () => existsSync(`${gate}.cancelled`));
	});

	test("is given up, with the request, when another middleware fails after it was begun", async () => {
		const failing = { after: () => Promise.reject(new Error("Another middleware fails")) };
		const { observer, failure } = record();
		const handle = (middy(() => {}) as unknown as StreamingHandler).use(failing).use(server(gatedServer, { observer }));
		const stream = new PassThrough();
		await expect(handle(gated(createGate()), stream, lambdaContext())).rejects.toThrow("Another middleware fails");
		await until("no process is left", () => leftovers().length === 0);
		expect(failure).toMatchObject([{ error: { code: "ABORTED" } }]);
	});

	test("counts in the metrics also when it ends after they were published", async () => {
		const stored: string[] = [];
		const published: string[][] = [];
		const metrics = {
			addMetric: (name: string) => void stored.push(name),
			singleMetric: () => metrics,
			addDimension: () => metrics,
			addDimensions: () => metrics,
			hasStoredMetrics: () => stored.length > 0,
			publishStoredMetrics: () => void published.push(stored.splice(0)),
		};
		const handle = create(wellBehaved, { metrics: metrics as never });
		await invoke(handle, callTool("progress", { steps: 2 }, { progressToken: 7 }));
		expect(published.flat()).toContain("McpLatency");
		expect(stored).toEqual([]);
	});
});
