import { Stack } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { McpFunction } from "../infrastructure/mcp-function.ts";

export class AgentStack extends Stack {
	constructor(scope: Construct, id: string) {
		super(scope, id, { description: "Two MCP servers whose tools an agent uses" });
		new McpFunction(this, "Catalog", {
			example: "agent",
			handler: "catalog.handler",
			description: "MCP: the files of a catalog",
		});
		new McpFunction(this, "Calculator", {
			example: "agent",
			handler: "calculator.handler",
			description: "MCP: the official test server, a calculator",
		});
	}
}
