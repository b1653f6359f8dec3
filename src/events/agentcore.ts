import { canBeWritten, parseJson } from "../json.ts";
import { isObject, isRequestId, type JsonRpcRequest, type JsonRpcResponse, type ReceivedMessage } from "../jsonrpc.ts";
import { type DecodedEvent, lambdaLimitBytes, type Reply } from "./event.ts";

/** What came along with an event, and how AgentCore Gateway is told of errors. */
export type InvocationFacts = {
	/** `context.clientContext` as the runtime gives it: the caller's own, whatever it is. */
	readonly clientContext?: unknown;
	/** Lambda's id of the invocation. */
	readonly awsRequestId?: string | undefined;
	readonly agentCoreErrors?: AgentCoreErrors | undefined;
};

export type AgentCoreErrors = "return" | "throw";

/** What the function fails with where errors are thrown: of an error Lambda passes on the name and the message. */
class AgentCoreToolError extends Error {
	override readonly name = "AgentCoreToolError";
}

/**
 * A tool call of AgentCore Gateway at a Lambda target: the event is the tool's arguments and nothing else, the tool's name stands
 * in the client context (https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-add-target-lambda.html).
 * `undefined` for any other invocation.
 *
 * Of the client context the name and the message's id are read. The headers that the gateway propagates there may hold credentials:
 * they go nowhere.
 */
export function decodeAgentCore(event: unknown, facts: InvocationFacts): DecodedEvent | undefined {
	const custom = isObject(facts.clientContext) ? facts.clientContext.custom : undefined;
	if (!isObject(custom)) return undefined;
	const target = memberOf(custom, "bedrockAgentCoreToolName");
	if (typeof target !== "string") return undefined;
	const messageId = memberOf(custom, "bedrockAgentCoreMcpMessageId");
	const id = isRequestId(messageId) && messageId !== "" ? messageId : (facts.awsRequestId ?? 0);
	return {
		messages: [toCall(event, toolNameOf(target), id)],
		reply: facts.agentCoreErrors === "throw" ? throwing : returning,
	};
}

/** Early previews of the gateway wrote the names in another case. */
function memberOf(custom: Readonly<Record<string, unknown>>, name: string): unknown {
	if (Object.hasOwn(custom, name)) return custom[name];
	const wanted = name.toLowerCase();
	const key = Object.keys(custom).find((candidate) => candidate.toLowerCase() === wanted);
	return key === undefined ? undefined : custom[key];
}

const delimiter = "___";

/** The tool's own name. A target's name has no underscore, so that the first delimiter is the gateway's. */
function toolNameOf(target: string): string {
	const at = target.indexOf(delimiter);
	return at > 0 ? target.slice(at + delimiter.length) : target;
}

function toCall(event: unknown, name: string, id: JsonRpcRequest["id"]): ReceivedMessage {
	const args = event ?? {};
	if (!isObject(args)) {
		return { kind: "invalid", id, problem: "the event of AgentCore Gateway is not an object of a tool's arguments" };
	}
	if (name === "") return { kind: "invalid", id, problem: `AgentCore Gateway names no tool behind the ${delimiter}` };
	return { kind: "request", request: { jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: args } } };
}

const returning: Reply = {
	result: ([response]) => (response ? toResult(response) : {}),
	takesNotifications: false,
	limitBytes: lambdaLimitBytes,
	isResult: () => false,
	stream: {
		whole: ([response]) => JSON.stringify(response ? toResult(response) : {}),
		streaming: (body) => body,
		// The gateway reads one JSON value: no notifications before it, no line after it.
		frame: undefined,
		keepAlive: undefined,
	},
};

const throwing: Reply = {
	...returning,
	failure: (responses) => {
		const error = responses.map(errorOf).find((found) => found !== undefined);
		return error && new AgentCoreToolError(error.message);
	},
};

/** What the gateway wraps into the result of its own tool: any JSON. */
function toResult(response: JsonRpcResponse): unknown {
	const error = errorOf(response);
	if (error) return { isError: true, error };
	const { structuredContent, content } = (response as { readonly result: Readonly<Record<string, unknown>> }).result;
	if (isObject(structuredContent)) return structuredContent;
	const [block, ...others] = blocksOf(content);
	const text = others.length === 0 ? textOf(block) : undefined;
	return text === undefined ? (response as { readonly result: unknown }).result : readText(text);
}

type ToolError = { readonly code?: number; readonly message: string; readonly data?: unknown };

/** The error of a call, of whichever kind: MCP has errors of the protocol, and results of tools that failed. */
function errorOf(response: JsonRpcResponse): ToolError | undefined {
	if ("error" in response) {
		const { code, message, data } = response.error;
		return { code, message, ...(data === undefined ? {} : { data }) };
	}
	const { isError, structuredContent, content } = response.result;
	if (isError !== true) return undefined;
	const blocks = blocksOf(content);
	const texts = blocks.flatMap((block) => textOf(block) ?? []);
	const message = texts.length === 0 ? "The tool failed" : texts.join("\n");
	const data = structuredContent ?? (texts.length === blocks.length ? undefined : blocks);
	return { message, ...(data === undefined ? {} : { data }) };
}

function blocksOf(content: unknown): readonly unknown[] {
	return Array.isArray(content) ? content : [];
}

function textOf(block: unknown): string | undefined {
	return isObject(block) && block.type === "text" && typeof block.text === "string" ? block.text : undefined;
}

/** The value of a text that is JSON, so that it is not quoted once more; else the text, and where its digits would be lost. */
function readText(text: string): unknown {
	let value: unknown;
	try {
		value = parseJson(text);
	} catch {
		return text;
	}
	if (typeof value === "number" && String(value) !== text.trim()) return text;
	return canBeWritten(value, text) ? value : text;
}
