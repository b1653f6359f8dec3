import { deepEqual, equal, match, ok } from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { deployLocally } from "../infrastructure/deployed.ts";
import { newTraceHeader, startTraceListener } from "../local/trace.mjs";

type Json = Record<string, unknown>;
type LogLine = Json & { readonly mcp?: Json };
type Segment = { readonly id: string; readonly name: string; readonly parent?: string; readonly annotations?: Json };

const traces = await startTraceListener();
try {
	await using deployed = await deployLocally("observability", {
		environment: { AWS_XRAY_DAEMON_ADDRESS: traces.address },
	});
	const { regionName, ...access } = deployed.access;
	const lambdaClient = new LambdaClient({ ...access, region: regionName });
	// A caller whose own trace goes on in the function, where Lambda would begin one otherwise.
	lambdaClient.middlewareStack.add(
		(next) => async (args) => {
			(args.request as { readonly headers: Record<string, string> }).headers["X-Amzn-Trace-Id"] = newTraceHeader();
			return await next(args);
		},
		{ step: "build" },
	);
	const client = await deployed.connect(lambdaClient);
	const secret = "what-was-said-between-us";
	await client.callTool({ name: "echo", arguments: { message: secret } });
	equal((await client.callTool({ name: "echo", arguments: {} })).isError, true);
	await client.close();
	lambdaClient.destroy();

	const lines = (): LogLine[] =>
		deployed.log.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as LogLine);
	const calls = () => lines().filter(({ mcp }) => mcp?.method === "tools/call" && mcp.outcome !== undefined);
	await seen("a log line for each call", () => calls().length === 2);
	deepEqual(
		calls().map(({ level, service, mcp }) => [level, service, mcp?.tool, mcp?.outcome]),
		[
			["INFO", "everything", "echo", "result"],
			["WARN", "everything", "echo", "tool_error"],
		],
	);
	match(String(calls()[0]?.function_request_id), /^[\da-f-]{36}$/);
	console.log("log: a line for each call, with its tool, outcome and the function's request");

	const values = (name: string) => lines().filter((line) => "_aws" in line && name in line);
	await seen("metrics", () => values("McpLatency").length >= 3);
	for (const name of ["McpRequests", "McpErrors", "McpFailures", "McpLatency", "McpQueueTime"]) {
		ok(values(name).length > 0, `There is no metric ${name}`);
	}
	ok(values("McpRequests").every(({ service }) => service === "everything"));
	match(JSON.stringify(values("McpRequests")[0]), /"Namespace":"McpServers"/);
	console.log("metrics: requests, errors, latency and queue time in the namespace that the dashboard reads");

	const segments = () => traces.segments() as Segment[];
	await seen("segments", () => segments().filter(({ name }) => name === "tools/call echo").length === 2);
	const [first, second] = segments().filter(({ name }) => name === "tools/call echo");
	equal(first?.annotations?.mcp_outcome, "result");
	equal(second?.annotations?.mcp_outcome, "tool_error");
	const parent = segments().find(({ id }) => id === first?.parent);
	match(parent?.name ?? "", /^## /);
	console.log("trace: a subsegment for each call, below the handler's");

	ok(!JSON.stringify([deployed.log, segments()]).includes(secret));
	console.log("neither arguments nor results are in any of them");
} finally {
	traces.close();
}

/** Logs and segments arrive a little after the answer. */
async function seen(what: string, isThere: () => boolean): Promise<void> {
	for (const giveUpAt = Date.now() + 10_000; !isThere(); await setTimeout(20)) {
		ok(Date.now() < giveUpAt, `${what} did not appear within 10 s`);
	}
}
