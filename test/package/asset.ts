import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Asserts what docs/deploying.md says of the zip, and that its SAM template says of the function what its stack does. */
export function checkAsset(folder: string): void {
	const { Resources } = JSON.parse(readFileSync(join(folder, "cdk.out/everything.template.json"), "utf8"));
	const resources: { Type: string; Metadata: Record<string, string>; Properties: Record<string, unknown> }[] =
		Object.values(Resources);
	const fn = resources.find(({ Type }) => Type === "AWS::Lambda::Function");
	assert(fn, "the stack has a function");
	const asset = join(folder, "cdk.out", fn.Metadata["aws:asset:path"] ?? "");
	assert.deepEqual(readdirSync(asset).sort(), ["handler.mjs", "node_modules", "package-lock.json", "package.json"]);
	assert(existsSync(join(asset, "node_modules/@modelcontextprotocol/server-everything/package.json")));
	for (const tool of ["mcp-stdio-lambda", "@middy", "@aws-sdk", "aws-cdk-lib", "esbuild"]) {
		assert(!existsSync(join(asset, "node_modules", tool)), `${tool} is not in the zip`);
	}

	const sam = readFileSync(join(folder, "template.yaml"), "utf8");
	for (const name of ["FunctionName", "Handler", "Runtime", "MemorySize", "Timeout", "ReservedConcurrentExecutions"]) {
		assert.match(sam, new RegExp(`^ +${name}: ${fn.Properties[name]}$`, "m"));
	}
	assert.match(sam, new RegExp(`^ +Architectures:\n +- ${fn.Properties.Architectures}$`, "m"));
	const logs = resources.find(({ Type }) => Type === "AWS::Logs::LogGroup");
	assert.match(sam, new RegExp(`^ +RetentionInDays: ${logs?.Properties.RetentionInDays}$`, "m"));
	const callers = resources.find(({ Type }) => Type === "AWS::IAM::ManagedPolicy");
	assert.match(
		JSON.stringify(callers),
		/"Action":"lambda:InvokeFunction".*"Resource":\{"Fn::GetAtt":\["Function\w+","Arn"\]\}/,
	);
}
