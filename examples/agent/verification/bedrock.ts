import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2Server, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { json } from "node:stream/consumers";
import { EventStreamCodec } from "@smithy/core/event-streams";
import { type Heard, type ModelCall, type Reply, reply } from "../scripted/script.ts";

/** What is used of https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
type ConverseRequest = {
	readonly messages: readonly { readonly role: string; readonly content: readonly Block[] }[];
	readonly toolConfig?: { readonly tools: readonly { readonly toolSpec?: { readonly name: string } }[] };
};
type Block = {
	readonly text?: string;
	readonly toolUse?: { readonly toolUseId: string; readonly name: string };
	readonly toolResult?: {
		readonly toolUseId: string;
		readonly status?: "success" | "error";
		readonly content: readonly { readonly text?: string; readonly json?: unknown }[];
	};
};

export type StandIn = {
	readonly endpoint: string;
	/** What each call had: path and authorization, and what the model was given. */
	readonly calls: readonly (ModelCall & { readonly path: string; readonly authorization: string })[];
	close(): Promise<void>;
};

/** Speaks Bedrock's Converse and ConverseStream, over HTTP/1.1 and HTTP/2, with the script as its model. */
export async function startBedrockStandIn(): Promise<StandIn> {
	const calls: (ModelCall & { path: string; authorization: string })[] = [];

	async function answer(
		request: IncomingMessage | Http2ServerRequest,
		response: ServerResponse | Http2ServerResponse,
	): Promise<void> {
		const { messages, toolConfig } = (await json(request)) as ConverseRequest;
		const tools = toolConfig?.tools.flatMap(({ toolSpec }) => toolSpec?.name ?? []) ?? [];
		const call = { heard: heard(messages), tools };
		const path = decodeURIComponent(request.url ?? "");
		calls.push({ ...call, path, authorization: request.headers.authorization ?? "" });
		const next = reply(call.heard, tools);
		const isStream = path.endsWith("/converse-stream");
		response.setHeader("content-type", isStream ? "application/vnd.amazon.eventstream" : "application/json");
		response.end(isStream ? Buffer.concat(eventsOf(next).map(encode)) : JSON.stringify(wholeOf(next)));
	}

	const http = createHttpServer(answer);
	const http2 = createHttp2Server(answer);
	const sockets = new Set<Socket>();
	const server = createServer((socket) => {
		sockets.add(socket.once("close", () => sockets.delete(socket)));
		socket.on("error", () => {});
		socket.once("data", (start: Buffer) => {
			socket.pause();
			socket.unshift(start);
			const isHttp2 = start.toString("latin1").startsWith("PRI ");
			(isHttp2 ? http2 : http).emit("connection", socket);
			if (!isHttp2) process.nextTick(() => socket.resume());
		});
	}).listen(0, "127.0.0.1");
	await once(server, "listening");
	return {
		endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		calls,
		close: async () => {
			const closed = once(server, "close");
			server.close();
			for (const socket of sockets) socket.destroy();
			await closed;
		},
	};
}

function heard(messages: ConverseRequest["messages"]): Heard[] {
	const names = new Map<string, string>();
	return messages.flatMap(({ role, content }) =>
		content.flatMap(({ text, toolUse, toolResult }): Heard[] => {
			if (toolUse) names.set(toolUse.toolUseId, toolUse.name);
			if (role === "user" && text !== undefined) return [{ role, text }];
			if (!toolResult) return [];
			const result = toolResult.content.map((part) => part.text ?? JSON.stringify(part.json)).join("\n");
			const tool = names.get(toolResult.toolUseId) ?? "";
			return [{ role: "tool", tool, text: result, isError: toolResult.status === "error" }];
		}),
	);
}

const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
const metrics = { latencyMs: 1 };

function wholeOf(next: Reply): object {
	const content =
		"text" in next
			? { text: next.text }
			: { toolUse: { toolUseId: randomUUID(), name: next.tool, input: next.arguments } };
	return {
		output: { message: { role: "assistant", content: [content] } },
		stopReason: stopReasonOf(next),
		usage,
		metrics,
	};
}

function eventsOf(next: Reply): [string, object][] {
	const at = { contentBlockIndex: 0 };
	const block: [string, object][] =
		"text" in next
			? [["contentBlockDelta", { ...at, delta: { text: next.text } }]]
			: [
					["contentBlockStart", { ...at, start: { toolUse: { toolUseId: randomUUID(), name: next.tool } } }],
					["contentBlockDelta", { ...at, delta: { toolUse: { input: JSON.stringify(next.arguments) } } }],
				];
	return [
		["messageStart", { role: "assistant" }],
		...block,
		["contentBlockStop", at],
		["messageStop", { stopReason: stopReasonOf(next) }],
		["metadata", { usage, metrics }],
	];
}

function stopReasonOf(next: Reply): string {
	return "text" in next ? "end_turn" : "tool_use";
}

const codec = new EventStreamCodec(
	(bytes) => Buffer.from(bytes as Uint8Array).toString("utf8"),
	(text) => Buffer.from(text, "utf8"),
);

function encode([name, event]: [string, object]): Uint8Array {
	return codec.encode({
		headers: {
			":message-type": { type: "string", value: "event" },
			":event-type": { type: "string", value: name },
			":content-type": { type: "string", value: "application/json" },
		},
		body: Buffer.from(JSON.stringify(event)),
	});
}
