// npm start: a stdio MCP server as Lambda functions on this machine, and what their callers get.
//   npm start -- --serve   then keeps a URL open for any MCP client, until Ctrl-C
//   npm start -- --log     also prints the functions' log
//   npm start -- --trace   also prints what X-Ray would get
import { fileURLToPath } from "node:url";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { printLog, startLocalLambda } from "mcp-stdio-lambda/local";
import { newTraceHeader, startTraceListener } from "./trace.mjs";

const showsLog = process.argv.includes("--log");
const serves = process.argv.includes("--serve");
const showsTrace = process.argv.includes("--trace");
const traces = await startTraceListener();

/** What `aws lambda create-function` would be given. */
const describe = (lifetime, SERVER = "everything", timeoutMs = 30_000) => ({
	handler: fileURLToPath(import.meta.resolve("./handler.mjs")),
	memorySizeMb: 1024,
	timeoutMs,
	environment: {
		SERVER,
		LIFETIME: lifetime,
		POWERTOOLS_SERVICE_NAME: SERVER,
		POWERTOOLS_METRICS_NAMESPACE: "McpServers",
		AWS_XRAY_DAEMON_ADDRESS: traces.address,
	},
});

// What the functions write about each request, as Powertools' Logger does.
const logged = [];
const lambda = await startLocalLambda({
	functions: {
		isolated: describe("request"),
		kept: describe("environment"),
		dying: describe("request", "dying"),
		hanging: describe("environment", "everything", 4000),
	},
	fronts: { url: { kind: "functionUrl", functionName: "kept" } },
	onLog: (log) => {
		logged.push(log);
		if (showsLog) printLog(log);
	},
});

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

/** What any caller does: the AWS SDK, with JSON-RPC as the payload. */
async function call(FunctionName, method, params) {
	const startedAt = performance.now();
	const Payload = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
	const output = await client.send(new InvokeCommand({ FunctionName, Payload, LogType: "Tail" }));
	const ms = performance.now() - startedAt;
	const log = Buffer.from(output.LogResult ?? "", "base64").toString();
	return { ms, response: JSON.parse(output.Payload.transformToString()), log };
}

async function measure(name) {
	const clientInfo = { name: "demo", version: "1.0.0" };
	const opened = await call(name, "initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo });
	const listed = await call(name, "tools/list");
	// A caller that thinks for a second between its calls, as agents do.
	await new Promise((resolve) => setTimeout(resolve, 1000));
	const echoed = await call(name, "tools/call", { name: "echo", arguments: { message: "Hello" } });
	for (const { response } of [opened, listed, echoed]) if (response.error) throw new Error(response.error.message);
	return {
		server: opened.response.result.serverInfo,
		tools: listed.response.result.tools.length,
		answer: echoed.response.result.content[0].text,
		first: opened.ms,
		init: Number(/Init Duration: ([\d.]+) ms/.exec(opened.log)?.[1]),
		list: listed.ms,
		call: echoed.ms,
		waited: Number(/"waited_ms":([\d.]+)/.exec(logOf(name, "echo"))?.[1]),
	};
}

/** The line that the function logged about a tool's call. */
function logOf(name, tool) {
	const lines = logged.filter(
		({ functionName, message }) => functionName === name && message.includes(`"tool":"${tool}"`),
	);
	return lines.at(-1)?.message ?? "";
}

/** Ends with Ctrl-C. */
async function serve(url) {
	print(
		"",
		`The second one as a Function URL, for any MCP client, until Ctrl-C: ${url}`,
		`MCP Inspector: npx @modelcontextprotocol/inspector --cli ${url} --transport http --method tools/list`,
	);
	await new Promise((resolve) => {
		for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, resolve);
	});
}

const print = (...lines) => process.stdout.write(`${lines.join("\n")}\n`);
const row = (label, ...cells) => `  ${label.padEnd(34)}${cells.map((cell) => String(cell).padStart(28)).join("")}`;
const ms = (value) => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;

try {
	const isolated = await measure("isolated");
	const kept = await measure("kept");
	const each = (member) => [ms(isolated[member]), ms(kept[member])];
	const { server, tools, answer } = isolated;
	print(
		"A stdio MCP server as two Lambda functions on this machine, called through the AWS SDK:",
		`${server.name} ${server.version}, ${tools} tools`,
		"",
		row("", 'lifetime "request"', 'lifetime "environment"'),
		row("", "a new process each time", "one process for all"),
		row("first call (a cold start)", ...each("first")),
		row("  of it Lambda's INIT, with the server", ...each("init")),
		row("tools/list, right after", ...each("list")),
		row(`echo: "${answer}", a second later`, ...each("call")),
		row("  of it waiting for a process", ...each("waited")),
		"",
		"And when it goes wrong, the caller hears within the function's time:",
	);
	const died = await call("dying", "tools/list");
	const reason = logged.find(({ functionName, message }) => functionName === "dying" && message.includes("on stderr"));
	const why = /on stderr: ([^)"]*)/.exec(reason?.message ?? "")?.[1];
	print(`  a server that dies    ${died.response.error.data.code}, after ${ms(died.ms)}; its log: ${why}`);
	const hung = await call("hanging", "tools/call", {
		name: "trigger-long-running-operation",
		arguments: { duration: 60, steps: 1 },
	});
	print(
		`  a tool that hangs     ${hung.response.error.data.code}, after ${ms(hung.response.error.data.elapsedMs)} of 4 s`,
	);
	print("More: npm start -- --serve (a URL for MCP clients), --log, --trace. Your own server: README.md.");
	if (showsTrace) traces.print();
	if (serves) await serve(`${lambda.urls.url}mcp`);
} finally {
	client.destroy();
	await lambda.close();
	traces.close();
}
