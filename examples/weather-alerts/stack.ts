import { Stack } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { McpFunction } from "../infrastructure/mcp-function.ts";

export class WeatherAlertsStack extends Stack {
	constructor(scope: Construct, id: string) {
		super(scope, id, { description: "The weather alerts of weather.gov as an MCP server" });
		new McpFunction(this, "Server", {
			example: "weather-alerts",
			description: "MCP: the weather alerts of weather.gov",
			environment: {
				// weather.gov wants to know whom to write to when a program misbehaves: add an address.
				USER_AGENT: "weather-alerts (mcp-stdio-lambda example)",
			},
		});
	}
}
