import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

type Resource = { readonly Type: string; readonly DependsOn?: readonly string[]; readonly Properties: object };

/** Asserts what docs/agentcore.md says of its stacks. */
export function checkGateways(folder: string): void {
	const byUrl = resourcesOf(folder, "gateway.out");
	const [policyName = "", policy] = find(byUrl, "AWS::IAM::Policy");
	const statements = JSON.stringify(policy.Properties);
	assert.match(statements, /"lambda:InvokeFunctionUrl"/);
	assert.match(statements, /"lambda:InvokeFunction","Condition":\{"Bool":\{"lambda:InvokedViaFunctionUrl":true\}\}/);
	const [, target] = find(byUrl, "AWS::BedrockAgentCore::GatewayTarget");
	assert(target.DependsOn?.includes(policyName), "the gateway may call the server before it does");
	assert.match(
		JSON.stringify(target.Properties),
		/"IamCredentialProvider":\{"Service":"lambda"\}.*"GATEWAY_IAM_ROLE".*"McpServer":\{"Endpoint"/,
	);

	const byLambda = resourcesOf(folder, "lambda-target.out");
	assert.match(JSON.stringify(find(byLambda, "AWS::IAM::Policy")), /"Action":"lambda:InvokeFunction"/);
	const [, lambdaTarget] = find(byLambda, "AWS::BedrockAgentCore::GatewayTarget");
	assert.match(JSON.stringify(lambdaTarget.Properties), /"Lambda":\{"LambdaArn".*"ToolSchema":\{"S3"/);
	const tools: { name: string }[] = JSON.parse(readFileSync(join(folder, "tools.json"), "utf8"));
	assert(tools.some(({ name }) => name === "echo"));
}

function resourcesOf(folder: string, output: string): [string, Resource][] {
	return Object.entries(JSON.parse(readFileSync(join(folder, output, "everything.template.json"), "utf8")).Resources);
}

function find(resources: readonly [string, Resource][], type: string): [string, Resource] {
	const found = resources.find(([, { Type }]) => Type === type);
	assert(found, `the stack has a resource ${type}`);
	return found;
}
