import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import middy7 from "@middy/core";
import { executionModeStreamifyResponse } from "@middy/core/StreamifyResponse";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type McpLambdaContext, type McpStdioServerOptions, mcpStdioServer } from "../../middleware/index.ts";
import { npmServer, type StdioServerParams } from "../../src/index.ts";
import { agentCoreContext } from "../events/agentcore-invocations.ts";
import { functionUrlEvent } from "../events/http-events.ts";
import { leaveNothingBehind } from "../support/processes.ts";
import { record, silent } from "../support/recorder.ts";
import { callTool, echo, fixture, inlineFixture } from "../support/servers.ts";
import { lambdaContext, middys } from "./middy.ts";

afterEach(() => vi.restoreAllMocks());
leaveNothingBehind();

const quiet: McpStdioServerOptions = { prewarm: false, standby: 0, observer: silent };
const contextOf = (toolName: string, more?: Readonly<Record<string, unknown>>, remainingMs?: number) =>
	({ ...lambdaContext(remainingMs), clientContext: agentCoreContext(toolName, more) }) as McpLambdaContext;

/** Answers with what its tool is named after, and tells all that it was given. */
const tools = inlineFixture(`
	const result = (content, more) => () => ({ content, ...more });
	serve({
		tools: {
			structured: result([{ type: "text", text: "21" }], { structuredContent: { celsius: 21 } }),
			json: result([{ type: "text", text: '{"id":1915883588174806058}' }]),
			several: result([{ type: "text", text: "a" }, { type: "text", text: "b" }]),
			failed: result([{ type: "text", text: "No such city" }], { isError: true }),
			given: (args, call) => JSON.stringify({ params: call.params, env: process.env, argv: process.argv }),
			noisy: (args, call) => {
				notify("notifications/message", { level: "info", data: "working" });
				process.stderr.write("working\\n");
				return "done";
			},
			a___b: () => "delimiter",
		},
	});
`);

type Handler = (event: unknown, context: McpLambdaContext) => unknown;

describe.each(middys)("with $name, a tool call of AgentCore Gateway", ({ middy }) => {
	function invoker(options: McpStdioServerOptions = {}, handler?: Handler, params: StdioServerParams = tools) {
		const server = mcpStdioServer(params, { ...quiet, ...options });
		const handle = (handler ? middy(handler as never) : middy()).use(server);
		return async (event: unknown, context: McpLambdaContext) => (await handle(event, context)) as unknown;
	}

	test("is answered with what the gateway wraps", async () => {
		const invoke = invoker({ lifetime: "environment" });
		const call = (name: string, args: unknown = {}) => invoke(args, contextOf(`weather___${name}`));
		expect(await call("structured")).toEqual({ celsius: 21 });
		expect(await call("echo", { message: "hello" })).toBe("Echo: hello");
		expect(JSON.stringify(await call("json"))).toBe('{"id":1915883588174806058}');
		expect(await call("several")).toEqual({
			content: [
				{ type: "text", text: "a" },
				{ type: "text", text: "b" },
			],
		});
		expect(await call("failed")).toEqual({ isError: true, error: { message: "No such city" } });
		expect(await call("fail", { code: -32001, message: "Denied", data: { a: 1 } })).toEqual({
			isError: true,
			error: { code: -32001, message: "Denied", data: { a: 1 } },
		});
		expect(await call("a___b")).toBe("delimiter");
		expect(await call("none")).toMatchObject({ isError: true, error: { code: -32602 } });
		expect(await invoke({ message: "bare" }, contextOf("echo"))).toBe("Echo: bare");
	});

	test("reaches the server with its arguments, whatever they look like", async () => {
		const invoke = invoker({ lifetime: "environment" });
		for (const args of [{ a: 1 }, { ...echo }, functionUrlEvent({ body: JSON.stringify(echo) }), { Records: [] }]) {
			expect(await invoke(args, contextOf("t___given"))).toMatchObject({ params: { name: "given", arguments: args } });
		}
		const told = record();
		expect(await invoker({ observer: told.observer })([1], contextOf("t___given"))).toMatchObject({
			isError: true,
			error: { code: -32600, data: { code: "INVALID_MESSAGE" } },
		});
		expect(told.kinds).toEqual(["failure"]);
	});

	test("is one source of a function among others", async () => {
		const invoke = invoker({ lifetime: "environment" });
		const own = { ...lambdaContext(), clientContext: { custom: { user: "a" } } } as McpLambdaContext;
		expect(await invoke(echo, own)).toMatchObject({ id: 1, result: { content: [{ text: "Echo: hello" }] } });
		expect(await invoke(functionUrlEvent({ body: JSON.stringify(echo) }), own)).toMatchObject({ statusCode: 200 });
		const wrapped = { lambdaContext: contextOf("t___echo") } as unknown as McpLambdaContext;
		expect(await invoke({ message: "durable" }, wrapped)).toBe("Echo: durable");
	});

	test("is told of a failure of the bridge, and nothing is thrown", async () => {
		const told = record();
		const invoke = invoker({ observer: told.observer }, undefined, fixture("exits-at-once"));
		expect(await invoke({}, contextOf("t___echo"))).toMatchObject({
			isError: true,
			error: { code: -32603, message: expect.any(String), data: { code: "HANDSHAKE_FAILED" } },
		});
		expect(told.failure).toMatchObject([{ requestId: "message-1", method: "tools/call" }]);
		const slow = invoker({ timeoutMs: 600 }, undefined, fixture("well-behaved"));
		expect(await slow({ ms: 60_000 }, contextOf("t___sleep"))).toMatchObject({
			isError: true,
			error: { data: { code: "TIMEOUT" } },
		});
	});

	test("has a limit of size, as a direct invocation has", async () => {
		const told = record();
		const invoke = invoker({ lifetime: "environment", observer: told.observer });
		expect(await invoke({ bytes: 6_291_556 }, contextOf("t___payload"))).toMatchObject({
			isError: true,
			error: { message: expect.stringContaining("at most 6291556 fit"), data: { code: "MESSAGE_TOO_LARGE" } },
		});
		expect(told.failure).toMatchObject([{ error: { code: "MESSAGE_TOO_LARGE" } }]);
		// The text in its quotes.
		expect(await invoke({ bytes: 6_291_554 }, contextOf("t___payload"))).toHaveLength(6_291_554);
	});

	test("goes by a handler, which answers as it does everywhere", async () => {
		const seen: unknown[] = [];
		const policy: Handler = (_, { mcp }) => {
			const [request] = mcp?.requests ?? [];
			seen.push(request);
			if (request?.params?.name === "echo") return undefined;
			return { jsonrpc: "2.0", id: request?.id, error: { code: -32602, message: "Denied" } };
		};
		const invoke = invoker({}, policy);
		expect(await invoke({ message: "x" }, contextOf("t___echo"))).toBe("Echo: x");
		expect(await invoke({}, contextOf("t___pid"))).toEqual({
			isError: true,
			error: { code: -32602, message: "Denied" },
		});
		const params = { name: "echo", arguments: { message: "x" } };
		expect(seen[0]).toEqual({ jsonrpc: "2.0", id: "message-1", method: "tools/call", params });
		const odd = await invoker({}, () => ({ statusCode: 200 }))({}, contextOf("t___echo"));
		expect(odd).toMatchObject({ isError: true, error: { data: { code: "INVALID_ANSWER" } } });
	});

	test("fails the function where errors are thrown, and only with an error", async () => {
		const metrics = {
			addMetric: vi.fn(),
			singleMetric: () => ({ addDimension: vi.fn(), addMetric: vi.fn() }),
			hasStoredMetrics: () => true,
			publishStoredMetrics: vi.fn(),
		};
		const options = { agentCoreErrors: "throw", lifetime: "environment", metrics } as const;
		const invoke = invoker(options as never);
		const thrown = (message: string) => expect.objectContaining({ name: "AgentCoreToolError", message });
		expect(await invoke({}, contextOf("t___structured"))).toEqual({ celsius: 21 });
		await expect(invoke({}, contextOf("t___failed"))).rejects.toEqual(thrown("No such city"));
		await expect(invoke({ message: "Denied" }, contextOf("t___fail"))).rejects.toEqual(thrown("Denied"));
		expect(metrics.publishStoredMetrics).toHaveBeenCalledTimes(3);
		const broken = invoker(options as never, undefined, fixture("exits-at-once"));
		await expect(broken({}, contextOf("t___echo"))).rejects.toMatchObject({ name: "AgentCoreToolError" });
		// Other callers of the function are answered as ever.
		expect(await invoke(callTool("failed"), lambdaContext() as McpLambdaContext)).toMatchObject({
			result: { isError: true },
		});
	});

	test("is told of a failure that a handler threw, in either way", async () => {
		const { McpStdioError } = await import("../../src/index.ts");
		const handler = () => {
			throw new McpStdioError("BUSY", "Come back later");
		};
		expect(await invoker({}, handler)({}, contextOf("t___echo"))).toMatchObject({
			isError: true,
			error: { message: "Come back later", data: { code: "BUSY" } },
		});
		const invoke = invoker({ agentCoreErrors: "throw" }, handler);
		await expect(invoke({}, contextOf("t___echo"))).rejects.toMatchObject({
			name: "AgentCoreToolError",
			message: "Come back later",
		});
	});

	test("keeps the headers that the gateway propagates from the server and from every log", async () => {
		const written: string[] = [];
		const keep = (...parts: unknown[]) => {
			written.push(parts.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(" "));
			return true;
		};
		for (const method of ["log", "info", "warn", "error", "debug"] as const) {
			vi.spyOn(console, method).mockImplementation(keep as never);
		}
		vi.spyOn(process.stdout, "write").mockImplementation(keep as never);
		vi.spyOn(process.stderr, "write").mockImplementation(keep as never);
		const logger = { debug: vi.fn(keep), info: vi.fn(keep), warn: vi.fn(keep), error: vi.fn(keep) };
		const propagated = {
			bedrockAgentCorePropagatedHeaders: { Authorization: "Bearer sesame", "x-tenant": "sesame" },
			bedrockAgentCorePropagatedQueryParameters: { key: "sesame" },
		};
		const given: unknown[] = [];
		for (const options of [{ observer: undefined }, { logger: logger as never }]) {
			for (const name of ["t___given", "t___noisy", "t___fail", "t___failed", "t___none", "t___"]) {
				given.push(await invoker(options)({}, contextOf(name, propagated)));
			}
			given.push(await invoker(options, undefined, fixture("exits-at-once"))({}, contextOf("t___echo", propagated)));
			const bad = invoker({ ...options, agentCoreErrors: "throw" })([], contextOf("t___echo", propagated));
			await bad.catch(({ message, stack }) => given.push(message, stack));
		}
		vi.restoreAllMocks();
		expect(written.length).toBeGreaterThan(10);
		expect(given).toHaveLength(18);
		expect(JSON.stringify(given[0])).toContain('"name":"given"');
		expect(JSON.stringify([written, given])).not.toContain("sesame");
	});
});

test("a handler takes the target's prefix off, should a gateway call the Function URL with it", async () => {
	const handler: Handler = (_, { mcp }) => {
		const [request] = mcp?.requests ?? [];
		if (request?.method !== "tools/call") return undefined;
		const name = String(request.params?.name).replace(/^everything___/, "");
		return mcp?.forward({ ...request, params: { ...request.params, name } });
	};
	const handle = middy7(handler as never).use(mcpStdioServer(tools, quiet));
	const call = async (name: string) => {
		const body = JSON.stringify(callTool(name, { message: "hello" }));
		const answer = (await handle(functionUrlEvent({ body }), lambdaContext())) as unknown as { body: string };
		return JSON.parse(answer.body);
	};
	for (const name of ["echo", "everything___echo"]) {
		expect(await call(name)).toMatchObject({ id: 1, result: { content: [{ text: "Echo: hello" }] } });
	}
});

test("in streaming mode the gateway gets one JSON value, and no notification", async () => {
	const server = mcpStdioServer(tools, { ...quiet, streamifyResponse: true });
	const previous = (globalThis as { awslambda?: unknown }).awslambda;
	Object.assign(globalThis, { awslambda: { streamifyResponse: (handler: unknown) => handler } });
	try {
		const handle = middy7({ executionMode: executionModeStreamifyResponse }).use(server) as unknown as (
			event: unknown,
			stream: PassThrough,
			context: unknown,
		) => Promise<void>;
		const call = async (name: string, args = {}) => {
			const stream = new PassThrough();
			const [written] = await Promise.all([text(stream), handle(args, stream, contextOf(`t___${name}`))]);
			return written;
		};
		expect(await call("noisy")).toBe('"done"');
		expect(await call("structured")).toBe('{"celsius":21}');
		expect(JSON.parse(await call("failed"))).toEqual({ isError: true, error: { message: "No such city" } });
		expect(JSON.parse(await call("payload", { bytes: 6_291_600 }))).toMatchObject({
			error: { data: { code: "MESSAGE_TOO_LARGE" } },
		});
	} finally {
		Object.assign(globalThis, { awslambda: previous });
	}
});

test("the official test server answers the gateway", async () => {
	const server = mcpStdioServer(npmServer("@modelcontextprotocol/server-everything"), quiet);
	const handle = middy7().use(server);
	const call = (name: string, args: object) => handle(args, contextOf(`everything___${name}`));
	expect(await call("echo", { message: "hello" })).toBe("Echo: hello");
	expect(await call("get-structured-content", { location: "New York" })).toMatchObject({
		temperature: expect.any(Number),
	});
	expect(await call("echo", {})).toMatchObject({
		isError: true,
		error: { message: expect.stringContaining("message") },
	});
});
