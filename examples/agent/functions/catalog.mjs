import { readFileSync } from "node:fs";
import middy from "@middy/core";
import { fromHostConfig } from "mcp-stdio-lambda";
import { mcpStdioServer } from "mcp-stdio-lambda/middy";
import { logCalls } from "../log-calls.mjs";

// The official file server, as desktop hosts are configured for it: here npx becomes the package that is installed, and the
// workspace is the folder that is deployed.
const config = readFileSync(new URL("./mcp.json", import.meta.url), "utf8");
const server = mcpStdioServer(fromHostConfig(config, "catalog", { from: import.meta.url }));
await server.prewarmed;

export const handler = middy().use(server).handler(logCalls);
