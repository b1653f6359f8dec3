import { join } from "node:path";
import middy from "@middy/core";
import { npmServer } from "mcp-stdio-lambda";
import { mcpStdioServer } from "mcp-stdio-lambda/middy";

const server = mcpStdioServer(
	npmServer("@ivotoby/openapi-mcp-server", [], {
		env: {
			OPENAPI_SPEC_PATH: join(import.meta.dirname, "openapi.json"),
			API_BASE_URL: process.env.API_BASE_URL ?? "https://api.weather.gov",
			API_HEADERS: `Accept:application/geo+json,User-Agent:${process.env.USER_AGENT ?? "mcp-stdio-lambda-example"}`,
			VERBOSE: "false",
		},
	}),
);

// Lambda's INIT phase: the first request finds a server that is already started.
await server.prewarmed;

export const handler = middy().use(server);
