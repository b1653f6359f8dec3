import type { LambdaFunctionClientTransport as ReferenceTransport } from "@aws/run-mcp-servers-with-aws-lambda";
import { Client as Client2, StreamableHTTPClientTransport as HttpClientTransport2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as StdioClientTransport2 } from "@modelcontextprotocol/client/stdio";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioClientTransport1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as HttpClientTransport1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { LoggingMessageNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { onTestFinished } from "vitest";
import type { LambdaFunctionClientTransport, LambdaFunctionParameters } from "../../src/client/index.ts";
import type { StdioServerParams } from "../../src/index.ts";
import type { TestLambda } from "../local/lambda.ts";

type Source = typeof import("../../src/client/index.ts");
type Transport =
	| LambdaFunctionClientTransport
	| ReferenceTransport
	| StdioClientTransport1
	| StdioClientTransport2
	| HttpClientTransport2;
type CallOptions = {
	readonly signal?: AbortSignal;
	readonly timeout?: number;
	readonly onprogress?: (progress: { readonly progress: number }) => void;
};

/** What both SDKs' clients have in common; only calling a tool with options differs. */
export type AnyClient = Pick<
	Client2,
	| "close"
	| "complete"
	| "getInstructions"
	| "getPrompt"
	| "getServerCapabilities"
	| "getServerVersion"
	| "listPrompts"
	| "listResources"
	| "listResourceTemplates"
	| "listTools"
	| "ping"
	| "readResource"
	| "setLoggingLevel"
	| "subscribeResource"
	| "unsubscribeResource"
> & {
	onclose?: (() => void) | undefined;
	/** Called with the log messages of the server. */
	onLog: (handle: (data: unknown) => void) => void;
	call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<ToolResult>;
};

// biome-ignore lint/suspicious/noExplicitAny: the shape is what the test asserts.
type ToolResult = { readonly content: any[]; readonly structuredContent?: unknown; readonly isError?: boolean };

type Mode = "legacy" | "auto" | { readonly pin: string };

/** A client of an SDK and the stdio transport that comes with it. */
export type Sdk = {
	readonly name: string;
	connect(transport: Transport): Promise<AnyClient>;
	stdio(params: StdioServerParams): Transport;
	/** Streamable HTTP. */
	http(url: string, fetch?: typeof globalThis.fetch): Transport;
};

const clientInfo = { name: "test", version: "1.0.0" };

const built: Source = await import(new URL("../../dist/src/client/index.js", import.meta.url).href);

/** The transport as it is built. */
const LambdaTransport: Source["LambdaFunctionClientTransport"] = built.LambdaFunctionClientTransport;
export const createRetryBudget: Source["createRetryBudget"] = built.createRetryBudget;
export const LambdaTransportError: Source["LambdaTransportError"] = built.LambdaTransportError;

const sdk1: Sdk = {
	name: "SDK 1",
	connect: async (transport) => {
		const client = new Client1(clientInfo);
		await client.connect(transport);
		return Object.assign(client, {
			onLog: (handle: (data: unknown) => void) =>
				client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => handle(params.data)),
			call: async (name: string, args: Record<string, unknown> = {}, options: CallOptions = {}) =>
				(await client.callTool({ name, arguments: args }, undefined, options)) as ToolResult,
		}) as unknown as AnyClient;
	},
	stdio: ({ command, args = [] }) => new StdioClientTransport1({ command, args: [...args], stderr: "ignore" }),
	http: (url, fetch) =>
		new HttpClientTransport1(new URL(url), { ...(fetch && { fetch }) }) as unknown as HttpClientTransport2,
};

export function sdk2(name: string, mode: Mode): Sdk {
	return {
		name: `SDK 2, ${name}`,
		connect: async (transport) => {
			const client = new Client2(clientInfo, { versionNegotiation: { mode } });
			await client.connect(transport);
			return Object.assign(client, {
				onLog: (handle: (data: unknown) => void) =>
					client.setNotificationHandler("notifications/message", ({ params }) => handle(params.data)),
				call: async (name: string, args: Record<string, unknown> = {}, options: CallOptions = {}) =>
					(await client.callTool({ name, arguments: args }, options)) as ToolResult,
			}) as unknown as AnyClient;
		},
		stdio: ({ command, args = [] }) => new StdioClientTransport2({ command, args: [...args], stderr: "ignore" }),
		http: (url, fetch) => new HttpClientTransport2(new URL(url), { ...(fetch && { fetch }) }),
	};
}

/** For `describe.each`: the clients that can speak to a server of the protocol's legacy era. */
export const sdks: readonly Sdk[] = [sdk1, sdk2("legacy", "legacy"), sdk2("auto", "auto")];

/** A transport to a function of a local Lambda; what it is given goes before the defaults. */
export function transportTo(
	{ endpoint }: Pick<TestLambda, "endpoint">,
	functionName: string,
	parameters: Partial<LambdaFunctionParameters> = {},
): LambdaFunctionClientTransport {
	return new LambdaTransport({
		functionName,
		regionName: "us-east-1",
		endpoint,
		credentials: { accessKeyId: "local", secretAccessKey: "local" },
		...parameters,
	});
}

/** A connected client, which is closed when the test ends. */
export async function connect(sdk: Sdk, transport: Transport): Promise<AnyClient> {
	const client = await sdk.connect(transport);
	onTestFinished(async () => await client.close());
	return client;
}
