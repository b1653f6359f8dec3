import { fileURLToPath } from "node:url";
import { prewarmStdioServer, runStdioRequest } from "mcp-stdio-lambda";

// Any stdio MCP server: here the official test server, from node_modules.
const server = {
	command: process.execPath,
	args: [fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js"))],
};

// Lambda's INIT phase: the first request finds a server that is already started.
await prewarmStdioServer(server);

// `{}` answers a notification: a Lambda function always returns something.
export const handler = async (event, context) => (await runStdioRequest(server, event, { deadline: context })) ?? {};
