// Calls a function with the packed client beside older and newer versions of the AWS SDK:
// node aws-sdk-versions.ts <tarball> <folder> [version …]
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const [tarball = "", folder = "", ...given] = process.argv.slice(2);
const versions = given.length > 0 ? given : ["3.600.0", "3.950.0", "3.1040.0", "latest"];

const program = `
import { LambdaFunctionClientTransport, createSigV4Fetch } from "mcp-stdio-lambda/client";
import { startLocalLambda } from "mcp-stdio-lambda/local";

const lambda = await startLocalLambda({ functions: { echo: { handler: "echo.mjs" }, stream: { handler: "stream.mjs" } } });
const options = { endpoint: lambda.endpoint, regionName: "us-east-1", credentials: { accessKeyId: "a", secretAccessKey: "b" } };
for (const [functionName, streaming] of [["echo", false], ["echo", true], ["stream", true]]) {
	const transport = new LambdaFunctionClientTransport({ functionName, streaming, ...options });
	const received = [];
	transport.onmessage = (message) => received.push(message);
	await transport.send({ jsonrpc: "2.0", id: 1, method: "tools/list" });
	await transport.close();
	console.log(JSON.stringify(received));
}
let signed;
const fetch = createSigV4Fetch({ service: "lambda", region: "us-east-1", credentials: options.credentials, fetch: async (url, { headers }) => {
	signed = headers.get("authorization");
	return new Response("");
} });
await fetch("https://example.com/");
console.log(/^AWS4-HMAC-SHA256 Credential=a\\//.test(signed));
await lambda.close();
`;

const response = { jsonrpc: "2.0", id: 1, result: { tools: [] } };
const functions = {
	"echo.mjs": `export const handler = async () => (${JSON.stringify(response)});`,
	"stream.mjs": `export const handler = awslambda.streamifyResponse(async (_, stream) => { stream.write(${JSON.stringify(`${JSON.stringify(response)}\n`)}); stream.end(); });`,
};

for (const version of versions) {
	const place = join(resolve(folder), version);
	mkdirSync(place, { recursive: true });
	writeFileSync(join(place, "package.json"), '{ "private": true, "type": "module" }');
	const packages = [resolve(tarball), `@aws-sdk/client-lambda@${version}`, "@smithy/signature-v4"];
	execFileSync("npm", ["install", "--no-audit", "--no-fund", ...packages], {
		cwd: place,
		stdio: ["ignore", "ignore", "inherit"],
	});
	for (const [name, code] of Object.entries({ ...functions, "use.mjs": program }))
		writeFileSync(join(place, name), code);
	const printed = execFileSync(process.execPath, ["use.mjs"], { cwd: place, encoding: "utf8" }).trim().split("\n");
	assert.deepEqual(
		printed,
		[...Array(3).fill(JSON.stringify([response])), "true"],
		`beside @aws-sdk/client-lambda ${version}`,
	);
	console.log(`@aws-sdk/client-lambda ${version}: buffered, streamed, signed`);
}
