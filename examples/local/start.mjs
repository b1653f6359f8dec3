import { fileURLToPath } from "node:url";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { LambdaFunctionClientTransport } from "mcp-stdio-lambda/client";
import { startLocalLambda } from "mcp-stdio-lambda/local";
import { newTraceHeader, startTraceListener } from "./trace.mjs";

const traces = await startTraceListener();

// What `aws lambda create-function` would be given.
const lambda = await startLocalLambda({
	functions: {
		everything: {
			handler: fileURLToPath(import.meta.resolve("./handler.mjs")),
			memorySizeMb: 1024,
			timeoutMs: 30_000,
			environment: {
				POWERTOOLS_SERVICE_NAME: "everything",
				POWERTOOLS_METRICS_NAMESPACE: "McpServers",
				AWS_XRAY_DAEMON_ADDRESS: traces.address,
			},
		},
	},
	onLog: ({ message }) => console.log(`    ${message}`),
});
console.log(`A Lambda with the function "everything" (an MCP server that speaks stdio) runs at ${lambda.endpoint}\n`);

// What any caller does: the AWS SDK, and JSON-RPC as the payload.
const client = new LambdaClient({
	endpoint: lambda.endpoint,
	region: "us-east-1",
	credentials: { accessKeyId: "local", secretAccessKey: "local" },
});

// Active tracing: Lambda would begin a trace, or go on with the caller's.
client.middlewareStack.add(
	(next) => async (args) => {
		args.request.headers["X-Amzn-Trace-Id"] = newTraceHeader();
		return await next(args);
	},
	{ step: "build" },
);

async function call(method, params) {
	const startedAt = performance.now();
	const { Payload, FunctionError } = await client.send(
		new InvokeCommand({
			FunctionName: "everything",
			Payload: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
		}),
	);
	const response = JSON.parse(Payload.transformToString());
	if (FunctionError || response.error) throw new Error(`${method} failed: ${JSON.stringify(response)}`);
	return { result: response.result, ms: performance.now() - startedAt };
}

/** What an MCP application does: the MCP SDK's client, with a Lambda function where a server's command line would be. */
async function useMcpClient() {
	const mcpClient = new Client({ name: "demo", version: "1.0.0" });
	await mcpClient.connect(new LambdaFunctionClientTransport({ functionName: "everything", client }));
	const startedAt = performance.now();
	const { content } = await mcpClient.callTool({ name: "get-sum", arguments: { a: 2, b: 40 } });
	console.log(`MCP client   ${(performance.now() - startedAt).toFixed(0)} ms  ${content[0].text}`);
	await mcpClient.close();
}

try {
	const clientInfo = { name: "demo", version: "1.0.0" };
	const opened = await call("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo });
	console.log(
		`initialize   ${opened.ms.toFixed(0)} ms  ${opened.result.serverInfo.name} ${opened.result.serverInfo.version}`,
	);

	const listed = await call("tools/list");
	console.log(`tools/list   ${listed.ms.toFixed(0)} ms  ${listed.result.tools.map(({ name }) => name).join(", ")}`);

	const echoed = await call("tools/call", { name: "echo", arguments: { message: "Hello from a Lambda function" } });
	console.log(`tools/call   ${echoed.ms.toFixed(0)} ms  ${echoed.result.content[0].text}`);

	await useMcpClient();

	traces.print();
} finally {
	client.destroy();
	await lambda.close();
	traces.close();
}
