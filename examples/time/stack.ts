import { fileURLToPath } from "node:url";
import { Stack } from "aws-cdk-lib";
import { Platform } from "aws-cdk-lib/aws-ecr-assets";
import { DockerImageCode } from "aws-cdk-lib/aws-lambda";
import type { Construct } from "constructs";
import { McpFunction } from "../infrastructure/mcp-function.ts";

export class TimeStack extends Stack {
	constructor(scope: Construct, id: string) {
		super(scope, id, { description: "The time in any timezone as an MCP server" });
		new McpFunction(this, "Server", {
			example: "time",
			description: "MCP: the time in any timezone",
			// Lambda's Node.js runtime has no Python. Docker builds the image when it is deployed, not when it is synthesised.
			image: DockerImageCode.fromImageAsset(fileURLToPath(new URL(".", import.meta.url)), {
				platform: Platform.LINUX_ARM64,
				cmd: ["handler.handler"],
			}),
			// One vCPU: a start of the server is 0.6 s of a whole one.
			memorySizeMb: 1769,
			environment: { LOCAL_TIMEZONE: "America/New_York" },
		});
	}
}
