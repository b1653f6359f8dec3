import type { Logger } from "@aws-lambda-powertools/logger";
import type { Metrics } from "@aws-lambda-powertools/metrics";
import type { Tracer } from "@aws-lambda-powertools/tracer";
import middy from "@middy/core";
import middy6 from "middy-core-6";
import { describe, expectTypeOf, test } from "vitest";
import {
	type McpContext,
	type McpLambdaContext,
	type McpStdioServerOptions,
	mcpStdioServer,
} from "../../middleware/index.ts";
import type { JsonRpcRequest, JsonRpcResponse } from "../../src/index.ts";

const server = mcpStdioServer({ command: "node" }, { prewarm: false });

describe("a handler", () => {
	test("sees context.mcp without a cast when it comes after the middleware", () => {
		middy()
			.use(server)
			.handler(async (_event, context) => {
				expectTypeOf(context.mcp).toEqualTypeOf<McpContext | undefined>();
				expectTypeOf(context.awsRequestId).toEqualTypeOf<string>();
				expectTypeOf(context.mcp?.requests).toEqualTypeOf<readonly JsonRpcRequest[] | undefined>();
				const [request] = context.mcp?.requests ?? [];
				return request && (await context.mcp?.forward(request));
			});
		middy6()
			.use(server)
			.handler(async (_event, context) => {
				expectTypeOf(context.mcp).toEqualTypeOf<McpContext | undefined>();
			});
	});

	test("says its context's type when it comes before", () => {
		middy(async (_event: unknown, context: McpLambdaContext): Promise<JsonRpcResponse | undefined> => {
			return context.mcp?.requests[0] && (await context.mcp.forward(context.mcp.requests[0]));
		}).use(server);
	});
});

test("the middleware goes with others", () => {
	middy().use([server, { before: () => {} }]);
	middy6().use(server);
});

test("params may be a function of Middy's request", () => {
	mcpStdioServer(async ({ event, context, internal }) => {
		expectTypeOf(event).toEqualTypeOf<unknown>();
		expectTypeOf(context).toExtend<McpLambdaContext>();
		return { command: "node", env: { A: String(internal) } };
	});
	// @ts-expect-error: no command
	void (() => mcpStdioServer(() => ({})));
});

test("options take the Powertools as they are", () => {
	expectTypeOf<Logger>().toExtend<NonNullable<McpStdioServerOptions["logger"]>>();
	expectTypeOf<Tracer>().toExtend<NonNullable<McpStdioServerOptions["tracer"]>>();
	expectTypeOf<Metrics>().toExtend<NonNullable<McpStdioServerOptions["metrics"]>>();
});
