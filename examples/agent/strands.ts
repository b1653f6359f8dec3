import { BedrockModel, McpClient, type Model, Agent as StrandsAgent, type ToolResultBlock } from "@strands-agents/sdk";
import { LambdaFunctionClientTransport } from "mcp-stdio-lambda/client";
import { type Agent, instructions, type Progress } from "./agent.ts";
import { credentials, modelId, region } from "./bedrock.ts";
import type { Functions } from "./functions.ts";

/** Strands Agents: its MCP client takes the transport as it is, and is itself a tool list. */
export async function startStrandsAgent(functions: Functions, model: Model): Promise<Agent> {
	const clients = [functions.catalog, functions.calculator].map(
		(parameters) =>
			new McpClient({
				transport: new LambdaFunctionClientTransport(parameters),
				// Where a tracer is set up, it would put a `_meta` among the tool's arguments.
				disableMcpInstrumentation: true,
			}),
	);
	const agent = new StrandsAgent({ model, systemPrompt: instructions, tools: clients, printer: false });
	await agent.initialize();

	async function ask(question: string, onProgress?: (progress: Progress) => void): Promise<string> {
		const events = agent.stream(question);
		let next = await events.next();
		for (; !next.done; next = await events.next()) {
			const progress = progressOf(next.value);
			if (progress) onProgress?.(progress);
		}
		return next.value.toString();
	}

	return {
		tools: agent.tools.map(({ name }) => name),
		ask,
		close: async () => void (await Promise.all(clients.map((client) => client.disconnect()))),
	};
}

export function bedrockForStrands(): Model {
	return new BedrockModel({ region, modelId, clientConfig: { credentials } });
}

type Event = ReturnType<StrandsAgent["stream"]> extends AsyncGenerator<infer E> ? E : never;

function progressOf(event: Event): Progress | undefined {
	switch (event.type) {
		case "modelStreamUpdateEvent":
			if (event.event.type !== "modelContentBlockDeltaEvent" || event.event.delta.type !== "textDelta") return;
			return { type: "text", text: event.event.delta.text };
		case "beforeToolCallEvent":
			return { type: "call", tool: event.toolUse.name, arguments: event.toolUse.input };
		case "afterToolCallEvent":
			return {
				type: "result",
				tool: event.toolUse.name,
				text: textOf(event.result),
				isError: event.result.status === "error",
			};
	}
}

function textOf({ content }: ToolResultBlock): string {
	return content.map((block) => (block.type === "textBlock" ? block.text : `[${block.type}]`)).join("\n");
}
