import { join } from "node:path";
import middy from "@middy/core";
import { mcpStdioServer } from "mcp-stdio-lambda/middy";

const taskRoot = import.meta.dirname;

const server = mcpStdioServer({
	name: "weather-alerts",
	command: process.execPath,
	args: [join(taskRoot, "node_modules/@ivotoby/openapi-mcp-server/bin/mcp-server.js")],
	env: {
		OPENAPI_SPEC_PATH: join(taskRoot, "openapi.json"),
		API_BASE_URL: process.env.API_BASE_URL ?? "https://api.weather.gov",
		API_HEADERS: `Accept:application/geo+json,User-Agent:${process.env.USER_AGENT}`,
		VERBOSE: "false",
	},
});

// Lambda's INIT phase: the first request finds a server that is already started.
await server.prewarmed;

export const handler = middy().use(server);
