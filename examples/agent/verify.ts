import assert from "node:assert/strict";
import { frameworks } from "./frameworks.ts";
import { verifyChat, verifyChatWithoutCredentials } from "./verification/chat.ts";
import { verifyConversation } from "./verification/conversation.ts";
import { verifyFailing, verifyMissing, verifyThrottled } from "./verification/failures.ts";
import { startObservedFunctions } from "./verification/functions.ts";
import { refused } from "./verification/offline.ts";

// LangSmith would be told of every call if the shell says so.
for (const name of ["LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2"]) {
	process.env[name] = "false";
}

const functions = await startObservedFunctions();
try {
	for (const [name, framework] of Object.entries(frameworks)) {
		console.log(framework.title);
		await verifyConversation(framework, functions);
		console.log(
			"  two functions in one conversation: read_text_file of catalog, get-sum of calculator; a tool's error",
		);
		await verifyFailing(framework, functions);
		console.log("  a function whose process ends is an error that the model sees");
		await verifyMissing(framework, functions);
		console.log("  a function that does not exist is an error of the start, with its name");
		await verifyChat(name);
		console.log("  the chat, by its standard input");
	}
	await verifyThrottled(Object.values(frameworks), functions);
	console.log("All three\n  a function that is throttled is an error that the model sees");
} finally {
	await functions.close();
}
await verifyChatWithoutCredentials();
console.log("  the chat says what to do without credentials");
assert.deepEqual(refused, [], "nothing is sent to the outside");
console.log("  no connection to the outside was attempted");
