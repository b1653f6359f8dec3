import { fileURLToPath } from "node:url";
import { Stack, Validations } from "aws-cdk-lib";
import { CfnInclude } from "aws-cdk-lib/cloudformation-include";
import type { Construct } from "constructs";
import { McpFunction } from "../infrastructure/mcp-function.ts";

const service = "everything";
const namespace = "McpServers";

export class ObservabilityStack extends Stack {
	constructor(scope: Construct, id: string) {
		super(scope, id, { description: "An MCP server with logs, traces and metrics, a dashboard and alarms" });
		const server = new McpFunction(this, "Server", {
			example: "observability",
			description: "MCP: the official test server, observed by Powertools",
			environment: { POWERTOOLS_SERVICE_NAME: service, POWERTOOLS_METRICS_NAMESPACE: namespace },
		});
		// The same template that serves functions of other stacks.
		const observability = new CfnInclude(this, "Observability", {
			templateFile: fileURLToPath(new URL("./template.json", import.meta.url)),
			parameters: {
				Service: service,
				Namespace: namespace,
				FunctionName: server.function.functionName,
				LogGroupName: server.logGroup.logGroupName,
			},
		});
		Validations.of(observability).acknowledge({
			id: "CloudFormation-Validate::W1030",
			reason: "AlarmTopicArn is used only under the condition that it is not empty.",
		});
	}
}
