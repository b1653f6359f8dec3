import { describe, expect, test } from "vitest";
import type { AgentCoreErrors } from "../../src/events/agentcore.ts";
import { decodeEvent } from "../../src/events/index.ts";
import { resolveHttpOptions } from "../../src/http/options.ts";
import type { JsonRpcResponse } from "../../src/jsonrpc.ts";
import { agentCoreContext } from "./agentcore-invocations.ts";
import { functionUrlEvent } from "./http-events.ts";

const http = resolveHttpOptions({});

function decode(
	event: unknown,
	clientContext: unknown = agentCoreContext("weather___forecast"),
	agentCoreErrors?: AgentCoreErrors,
) {
	const decoded = decodeEvent(event, http, { clientContext, awsRequestId: "invocation-1", agentCoreErrors });
	if (!decoded || "answered" in decoded) throw new Error("not decoded to messages");
	return decoded;
}

const request = (params: object, id: unknown = "message-1") => [
	{ kind: "request", request: { jsonrpc: "2.0", id, method: "tools/call", params } },
];

describe("a tool call of AgentCore Gateway", () => {
	test("is a request with the event as its arguments", () => {
		const args = { city: "Brno", days: 3 };
		expect(decode(args).messages).toEqual(request({ name: "forecast", arguments: args }));
		expect(decode({}).messages).toEqual(request({ name: "forecast", arguments: {} }));
		expect(decode(null).messages).toEqual(request({ name: "forecast", arguments: {} }));
	});

	test.each([
		["with a delimiter of its own", "weather___a___b", "a___b"],
		["that begins with an underscore", "weather____private", "_private"],
		["that begins with a delimiter", "weather______x", "___x"],
		["with two underscores", "weather___get__it", "get__it"],
		["of odd characters", "my-target___näme/of.a tool", "näme/of.a tool"],
		["without a target", "forecast", "forecast"],
		["without a target and with two underscores", "weather__forecast", "weather__forecast"],
		["that has nothing in front of its delimiter", "___forecast", "___forecast"],
	])("names a tool %s", (_, toolName, name) => {
		expect(decode({}, agentCoreContext(toolName)).messages).toEqual(request({ name, arguments: {} }));
	});

	test.each([
		["as the early previews wrote it", { bedrockagentcoreToolName: "t___a", bedrockagentcoreMcpMessageId: "m" }],
		["in capitals", { BEDROCKAGENTCORETOOLNAME: "t___a", BEDROCKAGENTCOREMCPMESSAGEID: "m" }],
	])("is recognised by its name in any case: %s", (_, custom) => {
		expect(decode({}, { custom }).messages).toEqual(request({ name: "a", arguments: {} }, "m"));
	});

	test.each([
		["a number", 0, 0],
		["a text", "m", "m"],
		["missing", undefined, "invocation-1"],
		["empty", "", "invocation-1"],
		["nothing that is an id", { a: 1 }, "invocation-1"],
	])("has the gateway's id, else that of the invocation: %s", (_, given, id) => {
		const context = agentCoreContext("t___a", { bedrockAgentCoreMcpMessageId: given });
		expect(decode({}, context).messages).toEqual(request({ name: "a", arguments: {} }, id));
	});

	test("has an id also where nobody gives one", () => {
		const clientContext = { custom: { bedrockAgentCoreToolName: "t___a" } };
		expect(decodeEvent({}, http, { clientContext })).toMatchObject({ messages: [{ request: { id: 0 } }] });
	});

	test.each([
		["a JSON-RPC message", { jsonrpc: "2.0", id: 7, method: "tools/list" }],
		["an event of a Function URL", functionUrlEvent({ body: "{}" })],
		["an event of a queue", { Records: [] }],
		["a wrong message", { jsonrpc: "1.0" }],
	])("may have arguments that look like %s", (_, args) => {
		expect(decode(args).messages).toEqual(request({ name: "forecast", arguments: args }));
	});

	test.each([[[1, 2]], ["text"], [7]])("with arguments that are no object is invalid: %j", (args) => {
		const problem = expect.stringContaining("not an object of a tool's arguments");
		expect(decode(args).messages).toEqual([{ kind: "invalid", id: "message-1", problem }]);
	});

	test("that names no tool is invalid", () => {
		const invalid = { kind: "invalid", problem: expect.stringContaining("names no tool") };
		expect(decode({}, agentCoreContext("weather___")).messages).toMatchObject([invalid]);
		expect(decode({}, agentCoreContext("")).messages).toMatchObject([invalid]);
	});

	test("carries nothing of the client context but the name and the id", () => {
		const context = agentCoreContext("t___a", {
			bedrockAgentCorePropagatedHeaders: { Authorization: "Bearer secret" },
			bedrockAgentCorePropagatedQueryParameters: { key: "secret" },
			bedrockAgentCoreSessionId: "secret",
		});
		expect(JSON.stringify(decode({}, context))).not.toContain("secret");
	});
});

describe("an invocation without a tool's name in its client context", () => {
	const call = { jsonrpc: "2.0", id: 1, method: "ping" };
	test.each([
		["nothing", undefined],
		["null", null],
		["a text", "bedrockAgentCoreToolName"],
		["other members", { custom: { user: "a" }, bedrockAgentCoreToolName: "t___a" }],
		["custom that is null", { custom: null }],
		["a name that is no text", { custom: { bedrockAgentCoreToolName: 1 } }],
		["a member that only its prototype has", { custom: Object.create({ bedrockAgentCoreToolName: "t___a" }) }],
	])("is another source's: %s", (_, clientContext) => {
		expect(decodeEvent(call, http, { clientContext })).toMatchObject({ messages: [{ request: call }] });
		expect(decodeEvent({ city: "Brno" }, http, { clientContext })).toBeUndefined();
	});
});

describe("the answer to AgentCore Gateway", () => {
	const answer = (result: unknown) => ({ jsonrpc: "2.0", id: 1, result }) as JsonRpcResponse;
	const resultOf = (response: JsonRpcResponse) => decode({}).reply.result([response], []);
	const text = (content: string) => ({ type: "text", text: content });

	test("is the structured content, where there is some", () => {
		const structuredContent = { celsius: 21 };
		expect(resultOf(answer({ content: [text("21 °C")], structuredContent }))).toBe(structuredContent);
		expect(resultOf(answer({ content: [text("21 °C")], structuredContent: null }))).toBe("21 °C");
	});

	test.each([
		["Sunny", "Sunny"],
		["", ""],
		['{"celsius":21}', { celsius: 21 }],
		[" [1, 2]\n", [1, 2]],
		['"Sunny"', "Sunny"],
		["42", 42],
		["true", true],
		["null", null],
		["{celsius: 21}", "{celsius: 21}"],
		["21 °C", "21 °C"],
		["007", "007"],
		["1915883588174806058", "1915883588174806058"],
		["1.0", "1.0"],
		["1e400", "1e400"],
	])("is the only text %j, parsed when it is JSON", (given, expected) => {
		expect(resultOf(answer({ content: [text(given)] }))).toEqual(expected);
	});

	test("has the digits that the server wrote", () => {
		const json = '{"id":1915883588174806058,"price":1.0}';
		expect(JSON.stringify(resultOf(answer({ content: [text(json)] })))).toBe(json);
	});

	test("is a text that is nested too deeply to be written as JSON", () => {
		const deep = "[".repeat(5000) + "]".repeat(5000);
		expect(resultOf(answer({ content: [text(deep)] }))).toBe(deep);
	});

	test.each([
		["several blocks", { content: [text("a"), text("b")] }],
		["no block", { content: [] }],
		["a block that is no text", { content: [{ type: "image", data: "AA==", mimeType: "image/png" }] }],
		["no content", { toolResult: 1 }],
		["a block that is no object", { content: ["a"] }],
	])("is the whole result with %s", (_, result) => {
		expect(resultOf(answer(result))).toBe(result);
	});

	test.each([
		["one text", { content: [text("No such city")] }, { message: "No such city" }],
		["several", { content: [text("No such city"), text("Try Brno")] }, { message: "No such city\nTry Brno" }],
		["none", { content: [] }, { message: "The tool failed" }],
		["structured content", { content: [text("No")], structuredContent: { a: 1 } }, { message: "No", data: { a: 1 } }],
		[
			"an image",
			{ content: [text("No"), { type: "image", data: "AA==" }] },
			{ message: "No", data: [text("No"), { type: "image", data: "AA==" }] },
		],
	])("tells that a tool failed, with %s", (_, result, error) => {
		expect(resultOf(answer({ ...result, isError: true }))).toEqual({ isError: true, error });
	});

	test("tells an error of the protocol, with its code and data", () => {
		const error = { code: -32602, message: "Unknown tool", data: { name: "x" } };
		expect(resultOf({ jsonrpc: "2.0", id: 1, error })).toEqual({ isError: true, error });
		const bare = { code: -32603, message: "Failed" };
		expect(resultOf({ jsonrpc: "2.0", id: 1, error: bare })).toStrictEqual({ isError: true, error: bare });
	});

	test("is text in streaming mode, and a whole", () => {
		const { stream } = decode({}).reply;
		expect(stream.frame).toBeUndefined();
		expect(stream.whole([answer({ content: [text("Sunny")] })])).toBe('"Sunny"');
	});

	test("is an error that the function fails with, where errors are thrown", () => {
		const { reply } = decode({}, undefined, "throw");
		const failed = answer({ content: [text("No such city")], isError: true });
		expect(reply.failure?.([failed])).toMatchObject({ name: "AgentCoreToolError", message: "No such city" });
		const error = { code: -32602, message: "Unknown tool" };
		expect(reply.failure?.([{ jsonrpc: "2.0", id: 1, error }])).toMatchObject({ message: "Unknown tool" });
		expect(reply.failure?.([answer({ content: [text("Sunny")] })])).toBeUndefined();
		expect(decode({}).reply.failure).toBeUndefined();
	});
});
