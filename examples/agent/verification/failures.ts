import assert from "node:assert/strict";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { LambdaFunctionClientTransport } from "mcp-stdio-lambda/client";
import type { Framework } from "../frameworks.ts";
import type { ObservedFunctions } from "./functions.ts";

const question = "What is the cost of a kettle and a toaster?";

/** The model is told that the function's process has ended, and goes on. */
export async function verifyFailing(framework: Framework, functions: ObservedFunctions): Promise<void> {
	const { agent, calls } = await framework.startWithScript(functions.withCalculator("failing"));
	const answer = await agent.ask(question);
	assert.match(answer, /^I cannot add the prices: .*Lambda function failing: its process ended/s);
	assertToldOfError(calls.at(-1)?.heard.at(-1));
	await agent.close();
}

/** An agent does not start without a function that it needs, and says which. */
export async function verifyMissing(framework: Framework, functions: ObservedFunctions): Promise<void> {
	await assert.rejects(framework.startWithScript(functions.withCalculator("missing")), {
		name: "LambdaTransportError",
		code: "NOT_FOUND",
		functionName: "missing",
	});
}

/** Models are told that a function is throttled, when retrying has not helped. */
export async function verifyThrottled(frameworks: readonly Framework[], functions: ObservedFunctions): Promise<void> {
	const busy = functions.withCalculator("busy");
	const started = [];
	for (const framework of frameworks) started.push(await framework.startWithScript(busy));

	const client = new Client({ name: "verification", version: "1.0.0" });
	await client.connect(new LambdaFunctionClientTransport(busy.calculator));
	const tool = "trigger-long-running-operation";
	const held = client.callTool({ name: tool, arguments: { duration: 25, steps: 1 } }).catch((error: unknown) => error);
	await functions.called("busy", tool);

	await Promise.all(
		started.map(async ({ agent, calls }) => {
			const answer = await agent.ask(question);
			assert.match(answer, /^I cannot add the prices: .*Lambda function busy: .*throttled.*5 attempts/s);
			assertToldOfError(calls.at(-1)?.heard.at(-1));
			await agent.close();
		}),
	);
	assert.deepEqual(
		functions.calls.filter((call) => call.function === "busy").map((call) => call.tool),
		[tool],
		"what is throttled does not run",
	);
	await client.close();
	await held;
}

function assertToldOfError(heard: { readonly role: string; readonly isError?: boolean } | undefined): void {
	assert.deepEqual({ role: heard?.role, isError: heard?.isError }, { role: "tool", isError: true });
}
