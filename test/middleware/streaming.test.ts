import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import middy7 from "@middy/core";
import { executionModeStreamifyResponse } from "@middy/core/StreamifyResponse";
import middy6 from "middy-core-6";
import { beforeAll, describe, expect, test } from "vitest";
import { mcpStdioServer } from "../../middleware/index.ts";
import { leaveNothingBehind } from "../support/processes.ts";
import { silent } from "../support/recorder.ts";
import { callTool, echo, fixture } from "../support/servers.ts";
import { lambdaContext } from "./middy.ts";

leaveNothingBehind();

type StreamingHandler = (event: unknown, stream: PassThrough, context: unknown) => Promise<void>;

const server = () =>
	mcpStdioServer(fixture("well-behaved"), { streamifyResponse: true, prewarm: false, standby: 0, observer: silent });

// Lambda's Node.js runtimes bring it: https://docs.aws.amazon.com/lambda/latest/dg/response-streaming-tutorial.html
beforeAll(() => {
	Object.assign(globalThis, { awslambda: { streamifyResponse: (handler: unknown) => handler } });
});

describe.each([
	["Middy 7", () => middy7({ executionMode: executionModeStreamifyResponse }).use(server())],
	["Middy 6", () => middy6({ streamifyResponse: true }).use(server())],
])("in the streaming mode of %s, the result is JSON text", (_, create) => {
	test.each([
		["a request", echo, { id: 1, result: { content: [{ text: "Echo: hello" }] } }],
		["a notification", { jsonrpc: "2.0", method: "notifications/initialized" }, {}],
		["what is invalid", [echo], { id: null, error: { code: -32600 } }],
		["what is no MCP event", { source: "aws.events" }, { error: { code: -32600 } }],
		["a large answer", callTool("payload", { bytes: 100_000 }), { result: { content: [{ type: "text" }] } }],
	])("for %s", async (_kind, event, expected) => {
		const handle = create() as unknown as StreamingHandler;
		const stream = new PassThrough();
		const [written] = await Promise.all([text(stream), handle(event, stream, lambdaContext())]);
		expect(JSON.parse(written)).toMatchObject(expected);
	});
});
