import { fileURLToPath } from "node:url";
import middy from "@middy/core";
import { mcpStdioServer } from "mcp-stdio-lambda/middy";
import { logCalls } from "./log-calls.mjs";

// The official file server, on the folder that is deployed with the function.
const server = mcpStdioServer({
	command: process.execPath,
	args: [
		fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-filesystem/dist/index.js")),
		fileURLToPath(import.meta.resolve("./documents")),
	],
});
await server.prewarmed;

export const handler = middy().use(server).handler(logCalls);
