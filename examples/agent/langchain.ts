import { ChatBedrockConverse } from "@langchain/aws";
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { type LoadMcpToolsOptions, loadMcpTools } from "@langchain/mcp-adapters";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { AIMessage, type BaseMessage, createAgent, HumanMessage, ToolMessage } from "langchain";
import { LambdaFunctionClientTransport, type LambdaFunctionParameters } from "mcp-stdio-lambda/client";
import { type Agent, instructions, type Progress } from "./agent.ts";
import { credentials, modelId, region } from "./bedrock.ts";
import type { Functions } from "./functions.ts";

/**
 * LangChain: its MultiServerMCPClient takes commands and URLs alone, so the MCP SDK's client connects, and `loadMcpTools`
 * (what MultiServerMCPClient calls, too) makes the tools.
 */
export async function startLangChainAgent(functions: Functions, model: BaseChatModel): Promise<Agent> {
	const clients = await Promise.all([functions.catalog, functions.calculator].map(connect));
	const tools = (await Promise.all(clients.map((client) => loadMcpTools("lambda", client, options)))).flat();
	const agent = createAgent({ model, tools, systemPrompt: instructions });
	let messages: BaseMessage[] = [];

	async function ask(question: string, onProgress?: (progress: Progress) => void): Promise<string> {
		messages = [...messages, new HumanMessage(question)];
		const stream = await agent.stream({ messages }, { streamMode: ["messages", "updates", "values"] });
		for await (const [mode, data] of stream) {
			if (mode === "values") messages = data.messages;
			else for (const progress of progressOf(mode, data)) onProgress?.(progress);
		}
		return messages.at(-1)?.text ?? "";
	}

	return {
		tools: tools.map(({ name }) => name),
		ask,
		close: async () => void (await Promise.all(clients.map((client) => client.close()))),
	};
}

export function bedrockForLangChain(): BaseChatModel {
	return new ChatBedrockConverse({ region, model: modelId, credentials });
}

const options: LoadMcpToolsOptions = {
	// Without a hook, a result that has structuredContent, too, reaches the model as the JSON of both.
	afterToolCall: ({ result }) => ({ result }),
};

async function connect(parameters: LambdaFunctionParameters): Promise<Client> {
	const client = new Client({ name: "langchain-agent", version: "1.0.0" });
	await client.connect(new LambdaFunctionClientTransport(parameters));
	return client;
}

/** `mode` says what `data` is: a piece of a message, or what a step of the agent has added to the conversation. */
function* progressOf(mode: "messages" | "updates", data: unknown): Generator<Progress> {
	if (mode === "messages") {
		const [message] = data as [BaseMessage];
		if (AIMessage.isInstance(message) && message.text) yield { type: "text", text: message.text };
		return;
	}
	for (const { messages = [] } of Object.values(data as Record<string, { messages?: BaseMessage[] }>)) {
		for (const message of messages) {
			if (AIMessage.isInstance(message)) {
				for (const { name, args } of message.tool_calls ?? []) yield { type: "call", tool: name, arguments: args };
			} else if (ToolMessage.isInstance(message)) {
				const { name = "", text, status } = message;
				yield { type: "result", tool: name, text, isError: status === "error" };
			}
		}
	}
}
