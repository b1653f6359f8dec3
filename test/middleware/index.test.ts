import { afterEach, describe, expect, test, vi } from "vitest";
import { type McpLambdaContext, type McpStdioServerOptions, mcpStdioServer } from "../../middleware/index.ts";
import { McpStdioError } from "../../src/errors.ts";
import { closeStdioServers, type JsonRpcResponse, type StdioServerParams } from "../../src/index.ts";
import { leaveNothingBehind, leftovers } from "../support/processes.ts";
import { record, silent } from "../support/recorder.ts";
import {
	callTool,
	echo,
	errorOf,
	failureOf,
	fixture,
	initialize,
	jsonOf,
	lifetimes,
	pid,
	textOf,
} from "../support/servers.ts";
import { lambdaContext, middys } from "./middy.ts";

afterEach(() => vi.restoreAllMocks());
leaveNothingBehind();

const wellBehaved = fixture("well-behaved");
const notification = { jsonrpc: "2.0", method: "notifications/initialized" };
const quiet: McpStdioServerOptions = { prewarm: false, standby: 0, observer: silent };

type Handler = (event: unknown, context: McpLambdaContext) => unknown;
type Invoke = (event: unknown, context?: McpLambdaContext) => Promise<JsonRpcResponse>;

describe.each(middys)("with $name, the middleware", ({ middy }) => {
	function invoker(
		options: McpStdioServerOptions = {},
		handler?: Handler,
		params: StdioServerParams = wellBehaved,
		plugin = {},
	): Invoke {
		const server = mcpStdioServer(params, { ...quiet, ...options });
		const handle = (handler ? middy(handler as never, plugin) : middy()).use(server);
		return async (event, context = lambdaContext()) => (await handle(event, context)) as JsonRpcResponse;
	}

	test.each(lifetimes)("forwards requests and answers as the server does, in the lifetime %s", async (lifetime) => {
		const invoke = invoker({ lifetime });
		const answer = await invoke({ ...echo, id: "mine" });
		expect(answer.id).toBe("mine");
		expect(textOf(answer)).toBe("Echo: hello");
		expect((answer as { result: object }).result).toMatchObject({ unknownField: 1 });
		expect((await invoke(initialize("2025-06-18", 0))) as object).toMatchObject({
			id: 0,
			result: { protocolVersion: "2025-06-18" },
		});
		expect(errorOf(await invoke(callTool("fail", { code: -32001, data: { a: 1 } })))).toEqual({
			code: -32001,
			message: "Failed as asked",
			data: { a: 1 },
			unknownField: 1,
		});
		const pids = [textOf(await invoke(pid)), textOf(await invoke(pid))];
		expect(new Set(pids).size).toBe(lifetime === "request" ? 2 : 1);
	});

	test("answers a notification with {} and starts nothing", async () => {
		const told = record();
		expect(await invoker({ observer: told.observer })(notification)).toEqual({});
		expect(told.kinds).toEqual([]);
	});

	test.each([
		["a batch", [echo], null],
		["another version", { ...echo, jsonrpc: "1.0" }, 1],
		["no method", { jsonrpc: "2.0", id: "a" }, "a"],
	])("answers what is invalid, %s, with a JSON-RPC error", async (_, event, id) => {
		const told = record();
		const response = await invoker({ observer: told.observer })(event);
		expect(response).toMatchObject({ jsonrpc: "2.0", id, error: { code: -32600, data: { code: "INVALID_MESSAGE" } } });
		expect(told.kinds).toEqual(["failure"]);
	});

	test("leaves other events to the handler", async () => {
		const handler = vi.fn((_: unknown, context: McpLambdaContext) => ({ mcp: context.mcp === undefined }));
		const event = { source: "aws.events" };
		expect(await invoker({}, handler)(event)).toEqual({ mcp: true });
		expect(handler.mock.calls[0]?.[0]).toBe(event);
	});

	test("tells whoever sent an event that is neither MCP nor handled", async () => {
		const response = await invoker()({ source: "aws.events" });
		expect(errorOf(response).code).toBe(-32600);
		expect(errorOf(response).message).toContain("no handler");
		expect(response.id).toBeNull();
	});

	test("leaves the event of another service to the handler, also when that returns nothing", async () => {
		const told = record();
		const event = { source: "aws.events", "detail-type": "Scheduled Event", detail: {} };
		expect(await invoker({ observer: told.observer }, () => undefined)(event)).toBeUndefined();
		expect(told.failure).toEqual([]);
		expect(await invoker({}, () => ({ done: true }))(event)).toEqual({ done: true });
	});

	test("refuses to be in a chain twice", async () => {
		const twice = middy()
			.use(mcpStdioServer(wellBehaved, quiet))
			.use(mcpStdioServer(fixture("wrapper"), quiet));
		await expect(twice(echo, lambdaContext())).rejects.toThrow(
			/Two mcpStdioServer are in one chain.*a function for each/,
		);
	});

	test("gives up params that are not made, with the time to say so kept back", async () => {
		const server = mcpStdioServer(() => new Promise<never>(() => {}), quiet);
		const handle = middy().use(server);
		const response = (await handle(echo, lambdaContext(2600))) as JsonRpcResponse;
		expect(failureOf(response)).toMatchObject({ code: "TIMEOUT", phase: "params" });
		// 500 ms are kept back of what is left.
		const [, limit] = /within (\d+) ms/.exec(errorOf(response).message) ?? [];
		expect(Number(limit)).toBeGreaterThan(1900);
		expect(Number(limit)).toBeLessThanOrEqual(2100);
	});

	test("serves every invocation, also where all share what Middy keeps for plugins", async () => {
		const invoke = invoker({ lifetime: "environment" }, () => undefined, wellBehaved, { internal: {} });
		for (let count = 0; count < 3; count += 1) expect(textOf(await invoke(echo))).toBe("Echo: hello");
	});

	describe("a result that is too large for Lambda", () => {
		const limit = 6_291_556;
		/** A payload whose response has exactly so many bytes. */
		const payload = (bytes: number) => {
			const empty = JSON.stringify({ jsonrpc: "2.0", id: 1, result: { content: [{ type: "text", text: "" }] } });
			return callTool("payload", { bytes: bytes - empty.length });
		};

		test("is an error for the caller and the observer alike", async () => {
			const told = record();
			const response = await invoker({ observer: told.observer })(payload(limit + 1));
			expect(failureOf(response)).toMatchObject({ code: "MESSAGE_TOO_LARGE", phase: "request" });
			expect(errorOf(response).message).toContain(`${limit + 1} bytes, and at most ${limit} fit`);
			expect(told.answer).toEqual([]);
			expect(told.failure).toMatchObject([{ error: { code: "MESSAGE_TOO_LARGE" }, requestId: 1 }]);
		});

		test("is passed on when it just fits", async () => {
			const response = await invoker()(payload(limit));
			expect(Buffer.byteLength(JSON.stringify(response))).toBe(limit);
		});

		test("is an error when a handler gives it, or gives what cannot be written", async () => {
			const given = (result: object) => invoker({}, () => ({ jsonrpc: "2.0", id: 1, result }))(echo);
			expect(failureOf(await given({ text: "é".repeat(limit / 2) })).code).toBe("MESSAGE_TOO_LARGE");
			expect(failureOf(await given({ count: 1n })).code).toBe("INVALID_ANSWER");
			const circle: { self?: object } = {};
			circle.self = circle;
			expect(failureOf(await given(circle)).code).toBe("INVALID_ANSWER");
		});
	});

	test("ends what a handler forwarded and did not wait for", async () => {
		const told = record();
		const own = { jsonrpc: "2.0", id: 1, result: { own: true } };
		const invoke = invoker({ lifetime: "environment", observer: told.observer }, (_, context) => {
			void context.mcp?.forward(callTool("sleep", { ms: 60_000 }, { id: 1 }));
			void context.mcp?.forward(callTool("sleep", { ms: 60_000 }, { id: "mine" }));
			return own;
		});
		expect(await invoke(callTool("sleep", { ms: 60_000 }, { id: 1 }))).toEqual(own);
		await expect
			.poll(() => told.failure.map(({ error, requestId }) => [error.code, requestId]))
			.toEqual([
				["ABORTED", 1],
				["ABORTED", "mine"],
			]);
	});

	describe("before a handler", () => {
		test("puts the requests on the context and leaves the event alone", async () => {
			const seen: unknown[] = [];
			const invoke = invoker({}, (event, context) => void seen.push(event, context.mcp?.requests));
			await invoke(echo);
			await invoke(notification);
			expect(seen).toEqual([echo, [echo], notification, []]);
			expect(seen[0]).toBe(echo);
		});

		test("takes a response that it returns, with the id of the request", async () => {
			const told = record();
			const denied = { jsonrpc: "2.0", id: 1, error: { code: -32000, message: "Denied" } };
			expect(await invoker({ observer: told.observer }, () => denied)(echo)).toEqual(denied);
			expect(await invoker({ observer: told.observer }, async () => denied)({ ...echo, id: "b" })).toEqual({
				...denied,
				id: "b",
			});
			expect(told.kinds).toEqual([]);
		});

		test("lets it forward and change what is answered", async () => {
			const invoke = invoker({}, async (_, context) => {
				const [request] = context.mcp?.requests ?? [];
				if (!request) return undefined;
				const response = await context.mcp?.forward(callTool("echo", { message: "changed" }, { id: request.id }));
				return { ...response, extra: true };
			});
			const response = await invoke({ ...echo, id: 9 });
			expect(textOf(response)).toBe("Echo: changed");
			expect(response).toMatchObject({ id: 9, extra: true });
		});

		test("does not forward a second time what it has forwarded", async () => {
			const told = record();
			const invoke = invoker({ lifetime: "environment", observer: told.observer }, async (_, context) => {
				await Promise.all((context.mcp?.requests ?? []).map((request) => context.mcp?.forward(request)));
			});
			expect(textOf(await invoke(callTool("counter")))).toBe("1");
			expect(told.request).toHaveLength(1);
		});

		test("forwards when it asked the server only something of its own", async () => {
			const invoke = invoker({ lifetime: "environment" }, async (_, context) => {
				await context.mcp?.forward({ jsonrpc: "2.0", id: "own", method: "tools/list" });
			});
			expect(textOf(await invoke(echo))).toBe("Echo: hello");
		});

		test.each([
			["a notification", notification],
			["no request", { jsonrpc: "2.0", id: 3 }],
		])("answers %s that it forwards with an error", async (_, message) => {
			const invoke = invoker({}, (_event, context) => context.mcp?.forward(message as never));
			expect(failureOf(await invoke(echo)).code).toBe("INVALID_MESSAGE");
		});

		test.each([["a text"], [{ ok: true }], [[{ result: {} }]], [0]])(
			"says that %j, which it returned, is no response",
			async (returned) => {
				const response = await invoker({}, () => returned)(echo);
				expect(failureOf(response).code).toBe("INVALID_ANSWER");
				expect(response.id).toBe(1);
			},
		);

		test("leaves an error that it throws to Middy", async () => {
			await expect(
				invoker({}, () => {
					throw new Error("The handler fails");
				})(echo),
			).rejects.toThrow("The handler fails");
		});

		test("answers with a McpStdioError that it throws", async () => {
			const error = new McpStdioError("BUSY", "No room");
			const response = await invoker({}, () => {
				throw error;
			})(echo);
			expect(response).toEqual(error.toResponse(1));
		});
	});

	test("lets the after of other middlewares run, whatever became of the request", async () => {
		const seen: unknown[] = [];
		const handle = middy()
			.use({ after: ({ response }) => void seen.push(response) })
			.use(mcpStdioServer(fixture("exits-mid-request"), quiet));
		const responses = [];
		for (const event of [echo, notification, [echo]]) responses.push(await handle(event, lambdaContext()));
		expect(seen).toEqual(responses);
		expect(responses).toMatchObject([{ error: { data: { code: "SERVER_EXITED" } } }, {}, { error: { code: -32600 } }]);
	});

	test("answers before Lambda's timeout when the server does not", async () => {
		const response = await invoker()(callTool("sleep", { ms: 60_000 }), lambdaContext(1000));
		expect(failureOf(response)).toMatchObject({ code: "TIMEOUT", phase: "request" });
	});

	test("answers when Middy's early timeout gives up a handler that forwards, and ends what it forwarded", async () => {
		const told = record();
		const forwards: Handler = async (_, context) => await context.mcp?.forward(callTool("sleep", { ms: 60_000 }));
		const invoke = invoker({ observer: told.observer }, forwards, wellBehaved, { timeoutEarlyInMillis: 1500 });
		const response = await invoke(callTool("sleep", { ms: 60_000 }), lambdaContext(2500));
		expect(failureOf(response).code).toBe("TIMEOUT");
		expect(response.id).toBe(1);
		expect(told.failure.map(({ error }) => error.code)).toEqual(["ABORTED", "TIMEOUT"]);
	});

	test("answers in place of what Middy's early timeout is told to respond with", async () => {
		const plugin = { timeoutEarlyInMillis: 1500, timeoutEarlyResponse: () => ({ statusCode: 408 }) };
		const forwards: Handler = async (_, context) => await context.mcp?.forward(callTool("sleep", { ms: 60_000 }));
		const response = await invoker({}, forwards, wellBehaved, plugin)(echo, lambdaContext(2000));
		expect(failureOf(response).code).toBe("TIMEOUT");
	});

	test("finds the deadline in a context that wraps Lambda's, and needs none", async () => {
		const wrapped = { lambdaContext: lambdaContext(800) } as unknown as McpLambdaContext;
		expect(failureOf(await invoker()(callTool("sleep", { ms: 60_000 }), wrapped)).code).toBe("TIMEOUT");
		expect(textOf(await invoker()(echo, {} as McpLambdaContext))).toBe("Echo: hello");
	});

	test("keeps invocations apart that run at once", async () => {
		const invoke = invoker({ lifetime: "environment" }, async (_, context) => {
			await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
			const [request] = context.mcp?.requests ?? [];
			return Math.random() < 0.5 && request ? await context.mcp?.forward(request) : undefined;
		});
		const messages = Array.from({ length: 50 }, (_, index) => `message ${index}`);
		const answers = await Promise.all(messages.map((message) => invoke(callTool("echo", { message }))));
		expect(answers.map(textOf)).toEqual(messages.map((message) => `Echo: ${message}`));
	});

	test("writes JSON text where Middy streams", async () => {
		const invoke = invoker({ streamifyResponse: true });
		expect(JSON.parse((await invoke(echo)) as never)).toMatchObject({ id: 1, result: {} });
		expect(await invoke(notification)).toBe("{}");
		expect(JSON.parse((await invoke({})) as never)).toMatchObject({ error: { code: -32600 } });
	});
});

describe("params that are a function", () => {
	const [{ middy }] = middys as [(typeof middys)[0]];
	const secretServer = (SECRET: string): StdioServerParams => ({ ...wellBehaved, env: { SECRET } });
	const readSecret = callTool("environment", { name: "SECRET" });

	test("are made once for each invocation that needs them, from Middy's request", async () => {
		const made = vi.fn(async ({ event, context }: { event: unknown; context: McpLambdaContext }) =>
			secretServer(`${(event as { id: unknown }).id} ${context.awsRequestId}`),
		);
		const handle = middy(async (_: unknown, context: McpLambdaContext) => {
			await Promise.all((context.mcp?.requests ?? []).map((request) => context.mcp?.forward(request)));
		}).use(mcpStdioServer(made, quiet));
		expect(made).not.toHaveBeenCalled();
		await handle(notification, lambdaContext());
		expect(made).not.toHaveBeenCalled();
		expect(jsonOf((await handle(readSecret, lambdaContext())) as unknown as JsonRpcResponse)).toBe("1 invocation-1");
		expect(made).toHaveBeenCalledOnce();
	});

	test("share a server while they are equal; a changed one starts another, and the old one is closed when it has idled", async () => {
		let secret = "old";
		const handle = middy().use(mcpStdioServer(() => secretServer(secret), { ...quiet, lifetime: "environment" }));
		const ask = async (event: unknown) => (await handle(event, lambdaContext())) as JsonRpcResponse;
		const first = textOf(await ask(pid));
		expect(textOf(await ask(pid))).toBe(first);
		secret = "new";
		expect(jsonOf(await ask(readSecret))).toBe("new");
		expect(leftovers()).toHaveLength(2);
		const now = performance.now.bind(performance);
		vi.spyOn(performance, "now").mockImplementation(() => now() + 61_000);
		expect(jsonOf(await ask(readSecret))).toBe("new");
		await expect.poll(() => leftovers().length).toBe(1);
		expect(leftovers()[0]).not.toContain(`${first} `);
	});

	test.each([
		["throws", () => Promise.reject(new Error("no access to sk-1"))],
		["gives wrong params", () => ({ command: "" })],
	])("answer with PARAMS_FAILED when the function %s; the cause is for the log", async (_, make) => {
		const told = record();
		const handle = middy().use(mcpStdioServer(make as never, { observer: told.observer }));
		const response = (await handle(echo, lambdaContext())) as JsonRpcResponse;
		expect(failureOf(response)).toMatchObject({ code: "PARAMS_FAILED", phase: "params" });
		expect(JSON.stringify(response)).not.toContain("sk-1");
		expect(told.failure[0]?.error.cause).toBeInstanceOf(Error);
	});

	test("that are not made in time fail before Lambda's timeout", async () => {
		const handle = middy().use(mcpStdioServer(() => new Promise<never>(() => {}), quiet));
		const response = (await handle(echo, lambdaContext(300))) as unknown as JsonRpcResponse;
		expect(failureOf(response)).toMatchObject({ code: "TIMEOUT", phase: "params" });
	});
});

describe("prewarming", () => {
	const [{ middy }] = middys as [(typeof middys)[0]];

	test("starts the server when the middleware is made", async () => {
		const told = record();
		const server = mcpStdioServer(wellBehaved, { standby: 1, observer: told.observer });
		expect(await server.prewarmed).toBeUndefined();
		expect(told.kinds).toEqual(["spawn", "ready"]);
		expect(textOf((await middy().use(server)(echo, lambdaContext())) as JsonRpcResponse)).toBe("Echo: hello");
		expect(told.request[0]).toMatchObject({ source: "standby" });
	});

	test("that fails is told and never thrown; the first request tries again", async () => {
		const told = record();
		const server = mcpStdioServer(fixture("exits-at-once"), { standby: 1, observer: told.observer });
		expect(await server.prewarmed).toMatchObject({ code: "HANDSHAKE_FAILED" });
		expect(told.failure).toHaveLength(1);
		const response = (await middy().use(server)(echo, lambdaContext())) as JsonRpcResponse;
		expect(failureOf(response).code).toBe("HANDSHAKE_FAILED");
		expect(told.spawn.length).toBeGreaterThanOrEqual(2);
	});

	test.each<[string, McpStdioServerOptions]>([
		["prewarm is false", { prewarm: false }],
		["there is to be no standby", { standby: 0 }],
	])("starts nothing when %s", async (_, options) => {
		await mcpStdioServer(wellBehaved, { observer: silent, ...options }).prewarmed;
		expect(leftovers()).toEqual([]);
	});

	test("writes failures to stderr where nobody else is told", async () => {
		const write = vi.spyOn(console, "error").mockReturnValue();
		await mcpStdioServer({ command: "no-such-command" }, { standby: 1 }).prewarmed;
		expect(JSON.parse(write.mock.lastCall?.[0])).toMatchObject({ level: "ERROR", code: "SPAWN_FAILED" });
		await closeStdioServers();
	});
});
