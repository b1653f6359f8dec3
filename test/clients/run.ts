// Clients that are no JavaScript reach the official server through every front of the local Lambda.
//   node test/clients/run.ts FOLDER      a Python virtual environment with mcp and mcp-proxy-for-aws
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { type LocalFrontOptions, startLocalLambda } from "mcp-stdio-lambda/local";

const run = promisify(execFile);
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("Say where the virtual environment is");
const program = (name: string): string => join(folder, "bin", name);
const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const everything = fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js"));
const describe = (handler: string) => ({
	handler: file(`../fixtures/functions/${handler}`),
	environment: { SERVER: JSON.stringify([everything]), LIFETIME: "environment" },
	memorySizeMb: 1024,
	timeoutMs: 60_000,
});
const iam = { accessKeyId: "AKIDLOCAL", secretAccessKey: "local" };
const open: Record<string, LocalFrontOptions> = {
	functionUrl: { kind: "functionUrl", functionName: "whole" },
	streamingFunctionUrl: { kind: "functionUrl", functionName: "streams", streaming: true },
	httpApi: { kind: "httpApi", functionName: "whole", stage: "live" },
	restApi: { kind: "restApi", functionName: "whole" },
	streamingRestApi: { kind: "restApi", functionName: "streams", streaming: true },
	loadBalancer: { kind: "loadBalancer", functionName: "whole" },
	multiValueLoadBalancer: { kind: "loadBalancer", functionName: "whole", multiValueHeaders: true },
};
const signed: Record<string, LocalFrontOptions> = {
	signedFunctionUrl: { kind: "functionUrl", functionName: "whole", iam },
	signedStreamingFunctionUrl: { kind: "functionUrl", functionName: "streams", streaming: true, iam },
};

function expect(where: string, tools: number, answer: unknown): void {
	if (tools < 10 || answer !== "Echo: hello") throw new Error(`${where}: ${tools} tools, ${JSON.stringify(answer)}`);
	console.log(`${where}: ${tools} tools, ${answer}`);
}

const lambda = await startLocalLambda({
	functions: { whole: describe("middleware.mjs"), streams: describe("middleware-streaming.mjs") },
	fronts: { ...open, ...signed },
});
try {
	for (const front of Object.keys(open)) {
		const { stdout } = await run(program("python"), [file("streamable_http.py"), `${lambda.urls[front]}mcp`]);
		const [, tools, answer] = /^(\d+) (.*)$/.exec(stdout.trim()) ?? [];
		expect(`the Python SDK, ${front}`, Number(tools), answer);
	}
	for (const front of Object.keys(signed)) {
		const transport = new StdioClientTransport({
			command: program("mcp-proxy-for-aws"),
			args: [`${lambda.urls[front]}mcp`, "--service", "lambda", "--region", "us-east-1", "--disable-telemetry"],
			env: {
				PATH: process.env.PATH ?? "",
				AWS_REGION: "us-east-1",
				AWS_ACCESS_KEY_ID: iam.accessKeyId,
				AWS_SECRET_ACCESS_KEY: iam.secretAccessKey,
			},
		});
		const client = new Client({ name: "test", version: "1.0.0" });
		await client.connect(transport);
		const { tools } = await client.listTools();
		const { content } = await client.callTool({ name: "echo", arguments: { message: "hello" } });
		expect(`mcp-proxy-for-aws, ${front}`, tools.length, (content as { text: string }[])[0]?.text);
		await client.close();
	}
} finally {
	await lambda.close();
}
