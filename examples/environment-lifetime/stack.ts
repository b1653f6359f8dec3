import { Stack } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { McpFunction } from "../infrastructure/mcp-function.ts";

export class EnvironmentLifetimeStack extends Stack {
	constructor(scope: Construct, id: string) {
		super(scope, id, { description: "A stateless MCP server that is kept warm" });
		new McpFunction(this, "Server", {
			example: "environment-lifetime",
			description: "MCP: counts words",
			// One process beside the function's own, whose start is in the INIT phase. The third of a CPU that comes with it serves it.
			memorySizeMb: 512,
			timeoutSeconds: 10,
			environment: { LIFETIME: "environment" },
		});
	}
}
