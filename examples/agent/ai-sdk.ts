import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { createMCPClient } from "@ai-sdk/mcp";
import { type LanguageModel, type ModelMessage, ToolLoopAgent, type ToolSet } from "ai";
import { LambdaFunctionClientTransport, type LambdaFunctionParameters } from "mcp-stdio-lambda/client";
import { type Agent, instructions, type Progress } from "./agent.ts";
import { credentials, modelId, region } from "./bedrock.ts";
import type { Functions } from "./functions.ts";

/** Vercel's AI SDK: its MCP client takes the transport as it is. */
export async function startAiSdkAgent(functions: Functions, model: LanguageModel): Promise<Agent> {
	const clients = await Promise.all([functions.catalog, functions.calculator].map(connect));
	const tools: ToolSet = Object.assign({}, ...(await Promise.all(clients.map(toolsOf))));
	const agent = new ToolLoopAgent({ model, instructions, tools, telemetry: { isEnabled: false } });
	const messages: ModelMessage[] = [];

	async function ask(question: string, onProgress?: (progress: Progress) => void): Promise<string> {
		messages.push({ role: "user", content: question });
		const answer = await agent.stream({ messages });
		for await (const part of answer.fullStream) {
			if (part.type === "error") throw part.error;
			if (part.type === "text-delta") onProgress?.({ type: "text", text: part.text });
			if (part.type === "tool-call") onProgress?.({ type: "call", tool: part.toolName, arguments: part.input });
			if (part.type === "tool-result")
				onProgress?.({ type: "result", tool: part.toolName, text: textOf(part.output), isError: false });
			if (part.type === "tool-error")
				onProgress?.({ type: "result", tool: part.toolName, text: String(part.error), isError: true });
		}
		messages.push(...(await answer.responseMessages));
		return await answer.text;
	}

	return {
		tools: Object.keys(tools),
		ask,
		close: async () => void (await Promise.all(clients.map((client) => client.close()))),
	};
}

export function bedrockForAiSdk(): LanguageModel {
	// The AWS SDK, which the other frameworks use, reads this variable itself.
	const { AWS_ENDPOINT_URL_BEDROCK_RUNTIME: baseURL } = process.env;
	const settings = { region, credentialProvider: credentials };
	return createAmazonBedrock(baseURL ? { ...settings, baseURL } : settings)(modelId);
}

type McpClient = Awaited<ReturnType<typeof connect>>;

async function connect(parameters: LambdaFunctionParameters) {
	return await createMCPClient({ transport: new LambdaFunctionClientTransport(parameters) });
}

/** A tool's error would reach the model as if it were a result: thrown, it arrives as the error that it is. */
async function toolsOf(client: McpClient): Promise<ToolSet> {
	const tools = await client.tools();
	for (const tool of Object.values(tools)) {
		const { execute } = tool;
		tool.execute = async (input, options) => {
			const result = (await execute(input, options)) as Awaited<ReturnType<McpClient["callTool"]>>;
			if (result.isError) throw new Error(textOf(result));
			return result;
		};
	}
	return tools;
}

function textOf(result: unknown): string {
	const { content } = result as { content: { type: string; text?: string }[] };
	return content.map((part) => part.text ?? `[${part.type}]`).join("\n");
}
