import assert from "node:assert/strict";
import type { Progress } from "../agent.ts";
import type { Framework } from "../frameworks.ts";
import type { ObservedFunctions } from "./functions.ts";

const costs = "What is the cost of a kettle and a toaster?";
const offers = "Are there offers?";
const prices = "item,euros\nkettle,34.9\ntoaster,27.5\nteapot,19\n";

/** One conversation in which the tools of both functions are used, and one tool fails. */
export async function verifyConversation(framework: Framework, functions: ObservedFunctions): Promise<void> {
	const { agent, calls } = await framework.startWithScript(functions);
	const before = functions.calls.length;
	const progress: Progress[] = [];
	const answer = await agent.ask(costs, (event) => progress.push(event));

	assert.equal(answer, "A kettle and a toaster cost 62.4 euros.");
	assert.deepEqual(functions.calls.slice(before), [
		{ function: "catalog", tool: "read_text_file", arguments: { path: "prices.csv" } },
		{ function: "calculator", tool: "get-sum", arguments: { a: 34.9, b: 27.5 } },
	]);
	assert.deepEqual(progress, [
		{ type: "call", tool: "read_text_file", arguments: { path: "prices.csv" } },
		{ type: "result", tool: "read_text_file", text: prices, isError: false },
		{ type: "call", tool: "get-sum", arguments: { a: 34.9, b: 27.5 } },
		{ type: "result", tool: "get-sum", text: "The sum of 34.9 and 27.5 is 62.4.", isError: false },
		{ type: "text", text: answer },
	]);
	for (const { tools } of calls) {
		assert.deepEqual(tools, agent.tools);
		for (const name of ["read_text_file", "list_directory", "get-sum", "echo"]) assert.ok(tools.includes(name), name);
	}
	assert.deepEqual(calls.at(-1)?.heard, [
		{ role: "user", text: costs },
		{ role: "tool", tool: "read_text_file", text: prices, isError: false },
		{ role: "tool", tool: "get-sum", text: "The sum of 34.9 and 27.5 is 62.4.", isError: false },
	]);

	assert.equal(await agent.ask(offers), "There is no list of offers.");
	assert.deepEqual(functions.calls.at(-1), {
		function: "catalog",
		tool: "read_text_file",
		arguments: { path: "offers.csv" },
	});
	const heard = calls.at(-1)?.heard ?? [];
	assert.deepEqual(
		heard.map((message) => (message.role === "user" ? message.text : message.tool)),
		[costs, "read_text_file", "get-sum", offers, "read_text_file"],
		"the conversation goes on",
	);
	const result = heard.at(-1);
	assert.ok(result?.role === "tool" && result.isError, "the model is told of an error");
	assert.match(result.text, /ENOENT: no such file or directory/);
	await agent.close();
}

/** The same agent with a model of Bedrock, be it the real one, whose words vary. */
export async function verifyBedrock(framework: Framework, functions: ObservedFunctions): Promise<void> {
	const agent = await framework.startWithBedrock(functions);
	const before = functions.calls.length;
	const answer = await agent.ask(costs);
	assert.match(answer, /62[.,]40?\b/);
	const made = functions.calls.slice(before);
	assert.ok(
		made.some((call) => call.function === "catalog" && JSON.stringify(call.arguments).includes("prices.csv")),
		"the prices were read",
	);
	const sums = made
		.filter((call) => call.function === "calculator")
		.map((call) => Object.values(Object(call.arguments)));
	assert.ok(
		sums.some((numbers) => numbers.includes(34.9) && numbers.includes(27.5)),
		"the prices were added",
	);
	await agent.close();
}
