import {
	type BaseModelConfig,
	type Message,
	Model,
	type ModelStreamEvent,
	type StreamOptions,
} from "@strands-agents/sdk";
import { type Heard, type ModelCall, reply } from "./script.ts";

/** A model of Strands, with our script. */
export class ScriptedStrandsModel extends Model {
	/** What it was given, call by call. */
	readonly calls: ModelCall[] = [];
	#config: BaseModelConfig = { modelId: "scripted", contextWindowLimit: 100_000 };

	override updateConfig(config: BaseModelConfig): void {
		this.#config = { ...this.#config, ...config };
	}

	override getConfig(): BaseModelConfig {
		return this.#config;
	}

	override async *stream(messages: Message[], { toolSpecs = [] }: StreamOptions = {}): AsyncIterable<ModelStreamEvent> {
		const call = { heard: heard(messages), tools: toolSpecs.map(({ name }) => name) };
		this.calls.push(call);
		const next = reply(call.heard, call.tools);
		yield { type: "modelMessageStartEvent", role: "assistant" };
		if ("text" in next) {
			yield { type: "modelContentBlockStartEvent" };
			yield { type: "modelContentBlockDeltaEvent", delta: { type: "textDelta", text: next.text } };
		} else {
			const start = { type: "toolUseStart", name: next.tool, toolUseId: crypto.randomUUID() } as const;
			const input = JSON.stringify(next.arguments);
			yield { type: "modelContentBlockStartEvent", start };
			yield { type: "modelContentBlockDeltaEvent", delta: { type: "toolUseInputDelta", input } };
		}
		yield { type: "modelContentBlockStopEvent" };
		yield { type: "modelMessageStopEvent", stopReason: "text" in next ? "endTurn" : "toolUse" };
	}
}

function heard(messages: readonly Message[]): Heard[] {
	const names = new Map<string, string>();
	return messages
		.flatMap(({ role, content }) => content.map((block) => ({ role, block })))
		.flatMap(({ role, block }): Heard[] => {
			if (block.type === "toolUseBlock") names.set(block.toolUseId, block.name);
			if (role === "user" && block.type === "textBlock") return [{ role, text: block.text }];
			if (block.type !== "toolResultBlock") return [];
			const text = block.content.map((part) => (part.type === "textBlock" ? part.text : "")).join("\n");
			return [{ role: "tool", tool: names.get(block.toolUseId) ?? "", text, isError: block.status === "error" }];
		});
}
