import middy, { type MiddyfiedHandler } from "@middy/core";
import { type Lifetime, pythonServer } from "mcp-stdio-lambda";
import { mcpStdioServer } from "mcp-stdio-lambda/middy";

// Lambda's clock has no place: what the server calls the local timezone is said here.
const timezone = process.env.LOCAL_TIMEZONE ?? "America/New_York";

const server = mcpStdioServer(pythonServer("mcp_server_time", ["--local-timezone", timezone]), {
	lifetime: process.env.LIFETIME as Lifetime | undefined,
});

// Lambda's INIT phase: the first request finds a server that is already started.
await server.prewarmed;

export const handler: MiddyfiedHandler = middy().use(server);
