import { CfnOutput, Stack, Validations } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import type { Construct } from "constructs";
import { McpFunction } from "../infrastructure/mcp-function.ts";

export class SecretsStack extends Stack {
	constructor(scope: Construct, id: string) {
		super(scope, id, {
			description: "NASA's picture of the day as an MCP server, with an API key from Secrets Manager",
		});
		// Made with a random value in place of the key, which is put there after the deployment and is in no template.
		const secret = new Secret(this, "ApiKey", {
			description: "The key for api.nasa.gov",
			generateSecretString: { secretStringTemplate: "{}", generateStringKey: "apiKey" },
		});
		Validations.of(secret).acknowledge({
			id: "AwsSolutions-SMG4",
			reason:
				"The key is issued by somebody else, who offers no way to rotate it by a program. A new one is put in place by hand.",
		});
		const server = new McpFunction(this, "Server", {
			example: "secrets",
			description: "MCP: NASA's picture of the day",
			environment: { SECRET_ID: secret.secretArn, SECRET_CACHE_MS: "300000" },
		});
		// Not `secret.grantRead`, which allows to describe it as well.
		server.role.addToPolicy(
			new PolicyStatement({ actions: ["secretsmanager:GetSecretValue"], resources: [secret.secretArn] }),
		);
		new CfnOutput(this, "SecretArn", { value: secret.secretArn });
	}
}
