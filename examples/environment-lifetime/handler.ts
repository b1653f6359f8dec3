import { join } from "node:path";
import middy from "@middy/core";
import { mcpStdioServer } from "mcp-stdio-lambda/middy";

const server = mcpStdioServer(
	{ name: "words", command: process.execPath, args: [join(import.meta.dirname, "server.mjs")] },
	// One process serves the requests of all callers that this environment serves, for as long as it is healthy.
	{ lifetime: process.env.LIFETIME === "request" ? "request" : "environment" },
);

// Lambda's INIT phase: the first request finds a server that is already started.
await server.prewarmed;

export const handler = middy().use(server);
