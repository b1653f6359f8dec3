// Loaded before a program of the AI SDK: stands in for every model that it names. Calls the tool `echo`, then repeats its result.
import { customProvider } from "ai";
import { MockLanguageModelV4 } from "ai/test";

const usage = {
	inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
	outputTokens: { total: 0, text: 0, reasoning: 0 },
};

const model = new MockLanguageModelV4({
	doGenerate: async ({ prompt, tools = [] }) => {
		const results = prompt.flatMap(({ role, content }) => (role === "tool" ? content : []));
		if (results.length > 0) return say("stop", { type: "text", text: `The tool: ${results[0].output.value[0].text}` });
		if (!tools.some(({ name }) => name === "echo")) return say("stop", { type: "text", text: "I have no tool echo" });
		const call = { type: "tool-call", toolCallId: "1", toolName: "echo", input: '{ "message": "Hello" }' };
		return say("tool-calls", call);
	},
});

function say(reason, content) {
	return { content: [content], usage, finishReason: { unified: reason, raw: undefined }, warnings: [] };
}

globalThis.AI_SDK_DEFAULT_PROVIDER = customProvider({
	fallbackProvider: { ...customProvider({}), languageModel: () => model },
});
