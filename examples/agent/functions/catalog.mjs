import { fileURLToPath } from "node:url";
import middy from "@middy/core";
import { npmServer } from "mcp-stdio-lambda";
import { mcpStdioServer } from "mcp-stdio-lambda/middy";
import { logCalls } from "./log-calls.mjs";

// The official file server, on the folder that is deployed with the function.
const folder = fileURLToPath(import.meta.resolve("./documents"));
const server = mcpStdioServer(npmServer("@modelcontextprotocol/server-filesystem", [folder]));
await server.prewarmed;

export const handler = middy().use(server).handler(logCalls);
