import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import type { Progress } from "./agent.ts";
import { hasCredentials, modelId } from "./bedrock.ts";
import { frameworks } from "./frameworks.ts";
import { findFunctions } from "./functions.ts";

const { values } = parseArgs({
	options: { framework: { type: "string", default: "ai-sdk" }, scripted: { type: "boolean", default: false } },
});
const framework = frameworks[values.framework];
if (!framework) exit(`There is no framework ${values.framework}; there are ${Object.keys(frameworks).join(", ")}.`);
if (!values.scripted && !(await hasCredentials())) {
	exit(
		"There are no AWS credentials, which Amazon Bedrock needs: `aws configure` or AWS_PROFILE gives them; `npm run chat -- --scripted` does without.",
	);
}

const functions = await findFunctions();
try {
	const agent = values.scripted
		? (await framework.startWithScript(functions)).agent
		: await framework.startWithBedrock(functions);
	console.log(
		`${framework.title} with ${values.scripted ? "a scripted model" : modelId}, ${agent.tools.length} tools.`,
	);
	console.log("Ask for the cost of a kettle and a toaster, or for offers; an empty line ends it.");
	const prompt = (): boolean => process.stdout.write("\n> ");
	prompt();
	for await (const line of createInterface({ input: process.stdin })) {
		if (line.trim() === "") break;
		try {
			await agent.ask(line, print);
			console.log();
		} catch (error) {
			console.log(`The model failed: ${error instanceof Error ? error.message : error}`);
		}
		prompt();
	}
	await agent.close();
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
} finally {
	await functions.close();
}

function print(progress: Progress): void {
	switch (progress.type) {
		case "text":
			process.stdout.write(progress.text);
			break;
		case "call":
			console.log(`  ${progress.tool} ${JSON.stringify(progress.arguments)}`);
			break;
		case "result":
			console.log(`  ${progress.isError ? "failed" : "gave"} ${JSON.stringify(progress.text)}`);
	}
}

function exit(message: string): never {
	console.error(message);
	process.exit(1);
}
