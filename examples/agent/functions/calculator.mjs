import { fileURLToPath } from "node:url";
import middy from "@middy/core";
import { mcpStdioServer } from "mcp-stdio-lambda/middy";
import { logCalls } from "./log-calls.mjs";

// The official test server: its `get-sum` is the calculator.
const server = mcpStdioServer({
	command: process.execPath,
	args: [fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js"))],
});
await server.prewarmed;

export const handler = middy().use(server).handler(logCalls);
