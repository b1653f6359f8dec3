import { fileURLToPath } from "node:url";
import { runStdioRequest } from "mcp-stdio-lambda";

export const server = { command: process.execPath, args: [fileURLToPath(new URL("server.mjs", import.meta.url))] };

export const handler = async (event, context) => (await runStdioRequest(server, event, { deadline: context })) ?? {};
