import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { type McpLambdaContext, type McpStdioServerOptions, mcpStdioServer } from "../../middleware/index.ts";
import type { StdioServerParams } from "../../src/index.ts";
import {
	functionUrlEvent,
	httpApiEvent,
	latticeEvent,
	loadBalancerEvent,
	restApiEvent,
	type Sent,
} from "../events/http-events.ts";
import { leaveNothingBehind, leftovers } from "../support/processes.ts";
import { silent } from "../support/recorder.ts";
import { callTool, echo, fixture, initialize } from "../support/servers.ts";
import { lambdaContext, middys } from "./middy.ts";

leaveNothingBehind();

type Answer = {
	readonly statusCode: number;
	readonly headers?: Readonly<Record<string, string>>;
	readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>;
	readonly body: string;
	readonly isBase64Encoded: boolean;
};
type Handler = (event: unknown, context: McpLambdaContext) => unknown;

const sources: readonly (readonly [string, (sent?: Sent) => Record<string, unknown>])[] = [
	["a Function URL", functionUrlEvent],
	["an HTTP API with a stage", (sent) => httpApiEvent(sent, "prod")],
	["a REST API", restApiEvent],
	["a load balancer", loadBalancerEvent],
	["a load balancer with multi-value headers", (sent) => loadBalancerEvent(sent, true)],
	["VPC Lattice", latticeEvent],
];

const json = (value: unknown): Sent => ({ body: JSON.stringify(value) });

describe.each(middys)("with $name, over HTTP,", ({ middy }) => {
	function invoker(
		options: McpStdioServerOptions = {},
		handler?: Handler,
		params: StdioServerParams = fixture("well-behaved"),
	) {
		const server = mcpStdioServer(params, { prewarm: false, standby: 0, observer: silent, ...options });
		const handle = (handler ? middy(handler as never) : middy()).use(server);
		return async (event: unknown) => (await handle(event, lambdaContext())) as Answer;
	}

	test.each(sources)("a request through %s is answered as the server does", async (_, make) => {
		const invoke = invoker({ lifetime: "environment" });
		const { statusCode, headers, multiValueHeaders, body, isBase64Encoded } = await invoke(make(json(echo)));
		expect({ statusCode, isBase64Encoded }).toEqual({ statusCode: 200, isBase64Encoded: false });
		expect(headers?.["content-type"] ?? multiValueHeaders?.["content-type"]?.[0]).toBe("application/json");
		expect(JSON.parse(body)).toMatchObject({ id: 1, result: { content: [{ text: "Echo: hello" }] } });
		const started = await invoke(make({ ...json(initialize("2025-06-18")), base64: true }));
		expect(JSON.parse(started.body)).toMatchObject({ result: { protocolVersion: "2025-06-18" } });
		expect(await invoke(make(json({ jsonrpc: "2.0", method: "notifications/initialized" })))).toMatchObject({
			statusCode: 202,
			body: "",
		});
	});

	test("one function serves HTTP and direct invocations", async () => {
		const invoke = invoker({ lifetime: "environment" });
		expect(await invoke(echo)).toMatchObject({ id: 1, result: {} });
		expect(await invoke(functionUrlEvent(json(echo)))).toMatchObject({ statusCode: 200 });
	});

	test("progress and log messages come in front of the answer, as events", async () => {
		const call = callTool("progress", { steps: 2 }, { progressToken: "t" });
		const { statusCode, headers, body, isBase64Encoded } = await invoker()(functionUrlEvent(json(call)));
		expect({ statusCode, isBase64Encoded }).toEqual({ statusCode: 200, isBase64Encoded: false });
		expect(headers?.["content-type"]).toBe("text/event-stream");
		const messages = [...body.matchAll(/^data: (.*)$/gm)].map(([, data = ""]) => JSON.parse(data));
		expect(messages).toMatchObject([
			{ method: "notifications/progress", params: { progressToken: "t" } },
			{ method: "notifications/progress" },
			{ id: 1, result: {} },
		]);
	});

	test("failures of the bridge are 5xx with a body of JSON-RPC", async () => {
		const answer = await invoker({}, undefined, fixture("exits-at-once"))(functionUrlEvent(json(echo)));
		expect(answer.statusCode).toBe(502);
		expect(JSON.parse(answer.body)).toMatchObject({ id: 1, error: { data: { code: "HANDSHAKE_FAILED" } } });
		const slow = await invoker({ timeoutMs: 600 })(functionUrlEvent(json(callTool("sleep", { ms: 60_000 }))));
		expect(slow.statusCode).toBe(504);
	});

	test("what is no valid request starts no process", async () => {
		const invoke = invoker();
		const evil = functionUrlEvent({ ...json(echo), headers: { Origin: "https://evil.example.com" } });
		expect(await invoke(evil)).toMatchObject({ statusCode: 403 });
		expect(await invoke(functionUrlEvent({ method: "GET" }))).toMatchObject({
			statusCode: 405,
			headers: { allow: "POST" },
		});
		expect(await invoke(functionUrlEvent({ body: "{" }))).toMatchObject({ statusCode: 400 });
		expect(await invoke(functionUrlEvent(json({ id: 1 })))).toMatchObject({ statusCode: 400 });
		const check = loadBalancerEvent({ method: "GET", path: "/", headers: { "User-Agent": "ELB-HealthChecker/2.0" } });
		expect(await invoke(check)).toMatchObject({ statusCode: 200 });
		expect(await invoke(functionUrlEvent(json({ jsonrpc: "2.0", id: 1, method: "ping" })))).toMatchObject({
			statusCode: 200,
			body: '{"jsonrpc":"2.0","id":1,"result":{}}',
		});
		expect(leftovers()).toEqual([]);
	});

	test("a result is limited by its source", async () => {
		const invoke = invoker({ lifetime: "environment" });
		const call = callTool("payload", { bytes: 1_100_000 });
		const { statusCode, body } = await invoke(loadBalancerEvent(json(call)));
		expect(statusCode).toBe(502);
		expect(JSON.parse(body).error).toMatchObject({
			message: expect.stringContaining("at most 1048576 fit"),
			data: { code: "MESSAGE_TOO_LARGE" },
		});
		expect(await invoke(restApiEvent(json(call)))).toMatchObject({ statusCode: 200 });
	});

	test("the responses to a batch share the limit of its source", async () => {
		const invoke = invoker({ lifetime: "environment" });
		const call = callTool("payload", { bytes: 100_000 });
		const batch = Array.from({ length: 12 }, (_, id) => ({ ...call, id }));
		const headers = { "MCP-Protocol-Version": "2025-03-26" };
		const answer = await invoke(loadBalancerEvent({ ...json(batch), headers }));
		expect(answer.statusCode).toBe(200);
		expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThanOrEqual(1024 * 1024);
		const responses: { id: number; error?: { data: { code: string } } }[] = JSON.parse(answer.body);
		expect(responses.map(({ id }) => id)).toEqual(batch.map(({ id }) => id));
		const codes = responses.flatMap(({ error }) => error?.data.code ?? []);
		expect(codes.length).toBeGreaterThan(0);
		expect(codes.length).toBeLessThan(4);
		expect(new Set(codes)).toEqual(new Set(["MESSAGE_TOO_LARGE"]));
	});

	test("a handler sees the authorizer, and may answer as JSON-RPC or as HTTP", async () => {
		const claims: unknown[] = [];
		const policy: Handler = (event, context) => {
			claims.push((event as { requestContext: { authorizer: object } }).requestContext.authorizer);
			const [request] = context.mcp?.requests ?? [];
			if (request?.method === "tools/list")
				return { statusCode: 401, headers: { "www-authenticate": "Bearer" }, body: "" };
			return { jsonrpc: "2.0", id: request?.id, error: { code: -32602, message: "Denied" } };
		};
		const invoke = invoker({}, policy);
		const denied = await invoke(httpApiEvent(json(echo)));
		expect(denied).toMatchObject({ statusCode: 200 });
		expect(JSON.parse(denied.body)).toMatchObject({ id: 1, error: { message: "Denied" } });
		expect(await invoke(httpApiEvent(json({ jsonrpc: "2.0", id: 1, method: "tools/list" })))).toEqual({
			statusCode: 401,
			headers: { "www-authenticate": "Bearer" },
			body: "",
		});
		expect(claims).toEqual([
			{ jwt: { claims: { sub: "user" }, scopes: null } },
			{ jwt: { claims: { sub: "user" }, scopes: null } },
		]);
	});

	test("a handler's own answer to another path stands, and the options are those of HTTP", async () => {
		const handler: Handler = (event) =>
			(event as { rawPath?: string }).rawPath === "/about" ? { statusCode: 200, body: "about" } : undefined;
		const invoke = invoker(
			{ path: "/mcp", healthPath: "/health", allowedOrigins: ["https://app.example.com"] },
			handler,
		);
		expect(await invoke(functionUrlEvent({ method: "GET", path: "/about" }))).toEqual({
			statusCode: 200,
			body: "about",
		});
		expect(await invoke(functionUrlEvent({ method: "GET", path: "/health" }))).toMatchObject({ statusCode: 200 });
		expect(await invoke(functionUrlEvent({ method: "GET", path: "/none" }))).toMatchObject({ statusCode: 404 });
		const allowed = {
			...json({ jsonrpc: "2.0", id: 1, method: "ping" }),
			headers: { Origin: "https://app.example.com" },
		};
		expect(await invoke(functionUrlEvent(allowed))).toMatchObject({ statusCode: 200 });
	});

	test("an event of a web socket is none of MCP's", async () => {
		const event = { requestContext: { eventType: "CONNECT", connectionId: "x" }, headers: {} };
		expect(await invoker({}, () => undefined)(event)).toBeUndefined();
	});
});

test("in streaming mode notifications leave while the tool runs", async () => {
	const server = mcpStdioServer(fixture("well-behaved"), {
		streamifyResponse: true,
		prewarm: false,
		standby: 0,
		observer: silent,
	});
	const request = (message: object) => ({
		event: functionUrlEvent(json(message)),
		context: lambdaContext(),
		internal: {},
		response: undefined as unknown,
		error: undefined,
	});
	const run = async (message: object) => {
		const current = request(message);
		server.before?.(current as never);
		await server.after?.(current as never);
		return current.response as { statusCode: number; headers: Record<string, string>; body: string | Readable };
	};
	const streamed = await run(callTool("progress", { steps: 2 }, { progressToken: "t" }));
	expect(streamed).toMatchObject({ statusCode: 200, headers: { "content-type": "text/event-stream" } });
	const events = (await text(streamed.body as Readable)).split("\n\n").filter((event) => event !== "");
	expect(events).toHaveLength(3);
	const whole = await run(echo);
	expect(whole).toMatchObject({ statusCode: 200, headers: { "content-type": "application/json" } });
	expect(JSON.parse(whole.body as string)).toMatchObject({ id: 1, result: {} });
	expect(await run({ jsonrpc: "2.0", method: "notifications/initialized" })).toMatchObject({
		statusCode: 202,
		body: "",
	});
});
