import { fileURLToPath } from "node:url";
import middy from "@middy/core";
import { mcpStdioServer } from "mcp-stdio-lambda/middy";

const server = mcpStdioServer({
	command: process.execPath,
	args: [fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js"))],
});

/** A calculator that can be connected to, and whose process ends when a tool is called. */
export const handler = middy()
	.use(server)
	.handler((_event, { mcp }) => {
		if (mcp?.requests.some(({ method }) => method === "tools/call")) process.exit(1);
	});
