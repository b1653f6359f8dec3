import { BaseChatModel, type BindToolsInput } from "@langchain/core/language_models/chat_models";
import type { ChatResult } from "@langchain/core/outputs";
import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from "langchain";
import { type Heard, type ModelCall, reply } from "./script.ts";

/** A chat model of LangChain, with our script. */
export class ScriptedChatModel extends BaseChatModel {
	/** What it was given, call by call. */
	readonly calls: ModelCall[] = [];
	#tools: readonly string[] = [];

	constructor() {
		super({});
	}

	override _llmType(): string {
		return "scripted";
	}

	override bindTools(tools: BindToolsInput[]): this {
		this.#tools = tools.map((tool) => String("name" in tool ? tool.name : ""));
		return this;
	}

	override async _generate(messages: BaseMessage[]): Promise<ChatResult> {
		const call = { heard: messages.flatMap(heard), tools: this.#tools };
		this.calls.push(call);
		const next = reply(call.heard, call.tools);
		const message =
			"text" in next
				? new AIMessage(next.text)
				: new AIMessage({
						content: "",
						tool_calls: [{ type: "tool_call", id: crypto.randomUUID(), name: next.tool, args: next.arguments }],
					});
		return { generations: [{ text: message.text, message }] };
	}
}

function heard(message: BaseMessage): Heard[] {
	if (HumanMessage.isInstance(message)) return [{ role: "user", text: message.text }];
	if (!ToolMessage.isInstance(message)) return [];
	return [{ role: "tool", tool: message.name ?? "", text: message.text, isError: message.status === "error" }];
}
