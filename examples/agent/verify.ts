import assert from "node:assert/strict";
import { frameworks } from "./frameworks.ts";
import { startBedrockStandIn } from "./verification/bedrock.ts";
import { verifyChat, verifyChatWithoutCredentials } from "./verification/chat.ts";
import { verifyBedrock, verifyConversation } from "./verification/conversation.ts";
import { verifyFailing, verifyMissing, verifyThrottled } from "./verification/failures.ts";
import { startObservedFunctions } from "./verification/functions.ts";

// LangSmith would be told of every call where the shell says so.
for (const name of ["LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2"]) {
	process.env[name] = "false";
}

const functions = await startObservedFunctions();
try {
	if (process.argv.includes("--bedrock")) await verifyWithBedrock();
	else await verifyOffline();
} finally {
	await functions.close();
}

async function verifyWithBedrock(): Promise<void> {
	for (const framework of Object.values(frameworks)) {
		await verifyBedrock(framework, functions);
		console.log(`${framework.title} with Amazon Bedrock used both functions`);
	}
}

async function verifyOffline(): Promise<void> {
	const { refused } = await import("./verification/offline.ts");
	const bedrock = await startBedrockStandIn();
	const environment = {
		AWS_ENDPOINT_URL_BEDROCK_RUNTIME: bedrock.endpoint,
		AWS_REGION: "us-east-1",
		AWS_ACCESS_KEY_ID: "local",
		AWS_SECRET_ACCESS_KEY: "local",
	};
	const deployed = {
		CATALOG_FUNCTION: functions.catalog.functionName,
		CALCULATOR_FUNCTION: functions.calculator.functionName,
		AWS_ENDPOINT_URL_LAMBDA: functions.catalog.endpoint,
	};
	for (const name of ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK"]) delete process.env[name];
	Object.assign(process.env, environment);
	try {
		for (const [name, framework] of Object.entries(frameworks)) {
			console.log(framework.title);
			await verifyConversation(framework, functions);
			console.log("  one conversation: read_text_file of catalog, get-sum of calculator, a tool's error");
			await verifyFailing(framework, functions);
			console.log("  a function whose process ends: the model is told of the error");
			await verifyMissing(framework, functions);
			console.log("  a function that does not exist: the agent does not start, and says which");
			await verifyBedrock(framework, functions);
			console.log("  the same agent with its Bedrock model, against a stand-in of Bedrock");
			const before = functions.calls.length;
			await verifyChat(name, { ...environment, ...deployed });
			assert.equal(functions.calls.length - before, 3);
			console.log("  the chat with that, and with functions that are already deployed");
		}
		assert.ok(bedrock.calls.length > 0);
		for (const { path, authorization } of bedrock.calls) {
			assert.match(path, /^\/model\/.+\/converse-stream$/);
			assert.match(authorization, /^AWS4-HMAC-SHA256 Credential=local\/\d+\/[a-z0-9-]+\/bedrock\//);
		}
	} finally {
		await bedrock.close();
	}
	await verifyThrottled(Object.values(frameworks), functions);
	console.log("All three\n  a function that is throttled: the model is told of the error, nothing runs");
	await verifyChat("ai-sdk");
	await verifyChatWithoutCredentials();
	console.log("Chat\n  with the scripted model; without credentials it says what to do");
	assert.deepEqual(refused, []);
	console.log("No connection to the outside was attempted");
}
