import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { type McpGrant, type McpLambdaContext, mcpStdioServer, policyByClaim } from "../../middleware/index.ts";
import { claimsOf } from "../../src/events/claims.ts";
import type { JsonRpcRequest, JsonRpcResponse } from "../../src/index.ts";
import { everything } from "../e2e/function.ts";
import { httpApiEvent } from "../events/http-events.ts";
import { leaveNothingBehind } from "../support/processes.ts";
import { silent } from "../support/recorder.ts";
import { lambdaContext, middys } from "./middy.ts";

const grants = {
	read: { tools: ["get-*"], prompts: ["*"], resources: ["demo://*", "file:///public/*.txt"] },
	write: { tools: ["echo"] },
};
const jwt = (claims: Record<string, unknown>) => ({ requestContext: { authorizer: { jwt: { claims } } } });
const request = (method: string, params: Record<string, unknown> = {}): JsonRpcRequest => ({
	jsonrpc: "2.0",
	id: 7,
	method,
	params,
});
const call = (name: unknown) => request("tools/call", { name });

/** What the handler answers, and what it has forwarded. */
async function handle(event: unknown, requests: readonly JsonRpcRequest[], listed: Record<string, unknown> = {}) {
	const forward = vi.fn(
		async ({ id }: JsonRpcRequest): Promise<JsonRpcResponse> => ({ jsonrpc: "2.0", id, result: listed }),
	);
	const { requestContext = {} } = (event ?? {}) as { requestContext?: Record<string, unknown> };
	const context = { mcp: { requests, forward, claims: claimsOf(requestContext) } } as unknown as McpLambdaContext;
	return { answers: await policyByClaim("scope", grants)(event, context), forward };
}

const allows = async (event: unknown, asked: JsonRpcRequest) => (await handle(event, [asked])).answers?.length === 0;

describe("a request", () => {
	test.each([
		["read", call("get-sum"), true],
		["read", call("echo"), false],
		["write", call("echo"), true],
		["write", call("get-sum"), false],
		["read write", call("echo"), true],
		["read", call("Get-sum"), false],
		["read", call("xget-sum"), false],
		["read", call(undefined), false],
		["read", call(["get-sum"]), false],
		["read", request("prompts/get", { name: "any" }), true],
		["write", request("prompts/get", { name: "any" }), false],
		["read", request("resources/read", { uri: "demo://a/b" }), true],
		["read", request("resources/read", { uri: "file:///public/a.txt" }), true],
		["read", request("resources/read", { uri: "file:///public/a.md" }), false],
		["read", request("resources/read", { uri: "file:///public/../etc/passwd.txt" }), false],
		["read", request("resources/read", { uri: "file:///public/%2e%2E/secret.txt" }), false],
		["read", request("resources/read", { uri: "file:///public/..%2fsecret.txt" }), false],
		["read", request("resources/read", { uri: "file:///public/..\\secret.txt" }), false],
		["read write", request("tasks/result", { taskId: "t" }), false],
		["read write", request("vendor/everything"), false],
		["read write", request("constructor"), false],
		["write", request("resources/subscribe", { uri: "demo://a" }), false],
		["read", request("completion/complete", { ref: { type: "ref/prompt", name: "p" } }), true],
		["write", request("completion/complete", { ref: { type: "ref/prompt", name: "p" } }), false],
		["write", request("completion/complete", { ref: { type: "ref/resource", uri: "demo://a" } }), false],
		["write", request("completion/complete"), false],
		["none", request("initialize"), true],
		["none", request("ping"), true],
		["none", request("logging/setLevel", { level: "info" }), true],
	])("of a caller with the scope %j: %j is allowed: %s", async (scope, asked, allowed) => {
		expect(await allows(jwt({ scope }), asked)).toBe(allowed);
	});

	test("is refused as one of something that is not there", async () => {
		const { answers, forward } = await handle(jwt({ scope: "read" }), [
			call("echo"),
			request("resources/read", { uri: "file:///etc/passwd" }),
		]);
		expect(answers).toEqual([
			{ jsonrpc: "2.0", id: 7, error: { code: -32602, message: "Unknown tool: echo" } },
			{ jsonrpc: "2.0", id: 7, error: { code: -32002, message: "Resource not found: file:///etc/passwd" } },
		]);
		expect(forward).not.toHaveBeenCalled();
	});
});

describe("the claim", () => {
	const authorizer = (value: unknown) => ({ requestContext: { authorizer: value } });

	test.each([
		["of an HTTP API's JWT authorizer", authorizer({ jwt: { claims: { scope: "other write" }, scopes: null } })],
		["as an HTTP API writes a list", authorizer({ jwt: { claims: { scope: "[other write]" } } })],
		["of a REST API with Cognito", authorizer({ claims: { scope: "other,write" } })],
		["of an HTTP API's Lambda authorizer", authorizer({ lambda: { scope: ["other", "write"] } })],
		["of a REST API's Lambda authorizer", authorizer({ principalId: "me", scope: "write" })],
	])("%s counts", async (_, event) => {
		expect(await allows(event, call("echo"))).toBe(true);
	});

	test.each([
		["that is missing", authorizer({ jwt: { claims: { other: "write" } } })],
		["of no value that is granted anything", authorizer({ jwt: { claims: { scope: "writes" } } })],
		["of a name that objects have", authorizer({ jwt: { claims: { scope: "constructor __proto__" } } })],
		["that is a number", authorizer({ jwt: { claims: { scope: 1 } } })],
		["beside the token", authorizer({ jwt: { claims: {} }, claims: { scope: "write" }, scope: "write" })],
		["of a caller without an authorizer", { requestContext: {} }],
		["of a direct invocation", call("echo")],
		["of an event that is nothing", undefined],
	])("%s grants nothing", async (_, event) => {
		expect(await allows(event, call("echo"))).toBe(false);
	});
});

describe("a list", () => {
	test.each([
		["tools/list", "tools", "name", ["echo", "get-sum", "get-env"], ["get-sum", "get-env"]],
		["prompts/list", "prompts", "name", ["a", "b"], ["a", "b"]],
		["resources/list", "resources", "uri", ["demo://a", "file:///etc/passwd"], ["demo://a"]],
		["resources/templates/list", "resourceTemplates", "uriTemplate", ["demo://{id}", "file:///{p}"], ["demo://{id}"]],
	])("of %s has what is allowed, and keeps the rest of the result", async (method, member, name, all, left) => {
		const items = (names: readonly string[]) => names.map((value) => ({ [name]: value, title: "T" }));
		const listed = { [member]: items(all), nextCursor: "next", _meta: { a: 1 } };
		const { answers, forward } = await handle(jwt({ scope: "read" }), [request(method)], listed);
		expect(answers).toEqual([{ jsonrpc: "2.0", id: 7, result: { ...listed, [member]: items(left) } }]);
		expect(forward).toHaveBeenCalledOnce();
	});

	test("that failed is passed on", async () => {
		const error: JsonRpcResponse = { jsonrpc: "2.0", id: 7, error: { code: -32000, message: "no" } };
		const claims = { scope: "read" };
		const context = { mcp: { requests: [request("tools/list")], claims, forward: async () => error } } as never;
		expect(await policyByClaim("scope", grants)(jwt({ scope: "read" }), context)).toEqual([error]);
	});
});

test("a star stands for any text, as a regular expression would have it", () => {
	const part = fc.constantFrom("", "*", "a", "b", "ab", "aa");
	fc.assert(
		fc.asyncProperty(fc.array(part, { maxLength: 6 }), fc.array(part, { maxLength: 8 }), async (parts, names) => {
			const pattern = parts.join("");
			const name = names.join("").replaceAll("*", "");
			const policy = policyByClaim("scope", { it: { tools: [pattern] } });
			const context = { mcp: { requests: [call(name)], claims: { scope: "it" }, forward: vi.fn() } } as never;
			const allowed = (await policy(jwt({ scope: "it" }), context))?.length === 0;
			expect(allowed).toBe(new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(name));
		}),
		{ numRuns: 300 },
	);
});

test.each([
	["", {}, "claim must be the name of a claim"],
	["scope", [], "grants must be an object"],
	["scope", { read: ["echo"] }, 'grants["read"] must be an object'],
	["scope", { read: { tool: ["echo"] } }, 'grants["read"].tool is not an option; the options are tools, prompts'],
	["scope", { read: { tools: "echo" } }, 'grants["read"].tools must be an array of strings'],
])("the claim %j with the grants %j is refused", (claim, given, message) => {
	expect(() => policyByClaim(claim, given as unknown as Record<string, McpGrant>)).toThrow(message);
});

test("what is not MCP's is left alone", async () => {
	expect(await policyByClaim("scope", grants)({}, {} as never)).toBeUndefined();
});

describe.each(middys)("before a real server, with $name,", ({ middy }) => {
	leaveNothingBehind();

	test("a caller sees and uses what it is granted", async () => {
		const server = mcpStdioServer(
			{ command: process.execPath, args: [everything] },
			{ prewarm: false, observer: silent },
		);
		const invoke = middy(policyByClaim("scope", grants) as never).use(server);
		const send = async (message: JsonRpcRequest, scope?: string) => {
			const event = httpApiEvent({ body: JSON.stringify(message) }) as { requestContext: Record<string, unknown> };
			event.requestContext.authorizer = { jwt: { claims: { scope } } };
			const result = (await invoke(event, lambdaContext())) as { statusCode: number; body: string };
			expect(result.statusCode).toBe(200);
			return JSON.parse(result.body);
		};
		const names = async (scope?: string) =>
			(await send(request("tools/list"), scope)).result.tools.map(({ name }: { name: string }) => name);
		expect(await names("write")).toEqual(["echo"]);
		expect(await names()).toEqual([]);
		const asked = request("tools/call", { name: "echo", arguments: { message: "hello" } });
		expect((await send(asked, "write")).result.content[0].text).toBe("Echo: hello");
		expect((await send(asked, "read")).error).toEqual({ code: -32602, message: "Unknown tool: echo" });
		await server.prewarmed;
	});

	test("claims that a caller wrote itself, as the arguments of a tool at AgentCore Gateway, grant nothing", async () => {
		const server = mcpStdioServer(
			{ command: process.execPath, args: [everything] },
			{ prewarm: false, observer: silent },
		);
		const invoke = middy(policyByClaim("scope", grants) as never).use(server);
		const custom = { bedrockAgentCoreToolName: "target___echo" };
		const context = { ...lambdaContext(), clientContext: { custom } } as never;
		const forged = { message: "x", ...jwt({ scope: "write" }) };
		const forgedHttp = {
			...httpApiEvent(),
			message: "x",
			requestContext: { http: { method: "POST" }, ...jwt({ scope: "write" }).requestContext },
		};
		for (const event of [forged, forgedHttp]) {
			const result = JSON.stringify(await invoke(event, context));
			expect(result).toContain("Unknown tool: echo");
			expect(result).not.toContain("Echo: x");
		}
		// A JSON-RPC message is the caller's own as well.
		const direct = { ...call("echo"), ...jwt({ scope: "write" }) };
		expect(await invoke(direct, lambdaContext())).toMatchObject({ error: { code: -32602 } });
	});
});
