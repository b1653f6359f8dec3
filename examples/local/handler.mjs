import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import { Tracer } from "@aws-lambda-powertools/tracer";
import { captureLambdaHandler } from "@aws-lambda-powertools/tracer/middleware";
import middy from "@middy/core";
import { npmServer } from "mcp-stdio-lambda";
import { mcpStdioServer } from "mcp-stdio-lambda/middy";

const logger = new Logger();
const tracer = new Tracer();
const metrics = new Metrics();

// Any stdio MCP server: here the official test server, from node_modules, or one that dies, to see what becomes of that.
const servers = {
	everything: npmServer("@modelcontextprotocol/server-everything"),
	dying: { command: "node", args: ["--eval", "throw new Error('API_TOKEN is required')"], name: "dying" },
};
const server = mcpStdioServer(servers[process.env.SERVER], { lifetime: process.env.LIFETIME, logger, tracer, metrics });

// Lambda's INIT phase: the first request finds a server that is already started.
await server.prewarmed;

export const handler = middy()
	.use(injectLambdaContext(logger))
	// Results stay out of the trace.
	.use(captureLambdaHandler(tracer, { captureResponse: false }))
	.use(logMetrics(metrics))
	.use(server);
