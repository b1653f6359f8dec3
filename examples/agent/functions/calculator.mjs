import middy from "@middy/core";
import { npmServer } from "mcp-stdio-lambda";
import { mcpStdioServer } from "mcp-stdio-lambda/middy";
import { logCalls } from "../log-calls.mjs";

// The official test server: its `get-sum` is the calculator.
const server = mcpStdioServer(npmServer("@modelcontextprotocol/server-everything"));
await server.prewarmed;

export const handler = middy().use(server).handler(logCalls);
