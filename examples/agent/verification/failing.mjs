import middy from "@middy/core";
import { npmServer } from "mcp-stdio-lambda";
import { mcpStdioServer } from "mcp-stdio-lambda/middy";

const server = mcpStdioServer(npmServer("@modelcontextprotocol/server-everything"));

/** A calculator that can be connected to, and whose process ends when a tool is called. */
export const handler = middy()
	.use(server)
	.handler((_event, { mcp }) => {
		if (mcp?.requests.some(({ method }) => method === "tools/call")) process.exit(1);
	});
