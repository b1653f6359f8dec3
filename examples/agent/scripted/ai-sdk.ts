import { simulateReadableStream } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { type Heard, type ModelCall, type Reply, reply } from "./script.ts";

type Model = MockLanguageModelV4;
type Prompt = Model["doStreamCalls"][number]["prompt"];
type Part = Awaited<ReturnType<Model["doStream"]>>["stream"] extends ReadableStream<infer P> ? P : never;

/** The AI SDK's own mock model, with our script. */
export class ScriptedAiSdkModel extends MockLanguageModelV4 {
	/** What it was given, call by call. */
	readonly calls: ModelCall[] = [];

	constructor() {
		super({
			doStream: async ({ prompt, tools = [] }) => {
				const call = { heard: prompt.flatMap(heard), tools: tools.map(({ name }) => name) };
				this.calls.push(call);
				return { stream: simulateReadableStream({ chunks: say(reply(call.heard, call.tools)) }) };
			},
		});
	}
}

const usage = {
	inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
	outputTokens: { total: 0, text: 0, reasoning: 0 },
};

function say(next: Reply): Part[] {
	if ("tool" in next) {
		const input = JSON.stringify(next.arguments);
		return [
			{ type: "tool-call", toolCallId: crypto.randomUUID(), toolName: next.tool, input },
			{ type: "finish", usage, finishReason: { unified: "tool-calls", raw: undefined } },
		];
	}
	return [
		{ type: "text-start", id: "1" },
		{ type: "text-delta", id: "1", delta: next.text },
		{ type: "text-end", id: "1" },
		{ type: "finish", usage, finishReason: { unified: "stop", raw: undefined } },
	];
}

function heard(message: Prompt[number]): Heard[] {
	if (message.role === "user") {
		return message.content.flatMap((part) => (part.type === "text" ? [{ role: "user", text: part.text }] : []));
	}
	if (message.role !== "tool") return [];
	return message.content.flatMap((part): Heard[] => {
		if (part.type !== "tool-result") return [];
		const { toolName: tool, output } = part;
		if (output.type === "error-text") return [{ role: "tool", tool, text: output.value, isError: true }];
		if (output.type !== "content") throw new Error(`The script does not expect a result of type ${output.type}`);
		const text = output.value.map((content) => (content.type === "text" ? content.text : "")).join("\n");
		return [{ role: "tool", tool, text, isError: false }];
	});
}
