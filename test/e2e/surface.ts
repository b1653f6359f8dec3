import { expect } from "vitest";
import type { LambdaFunctionParameters } from "../../src/client/index.ts";
import { fixture, type Runtime, startLambda } from "../local/lambda.ts";
import { type AnyClient, connect, type Sdk, transportTo } from "./clients.ts";
import { everything, mcpFunction } from "./function.ts";

type Step = readonly [name: string, run: (client: AnyClient) => Promise<unknown>];
type Outcome =
	| { readonly result: unknown }
	| { readonly error: { readonly code: unknown; readonly message: string; readonly data: unknown } };

/** What was asked, and what came of it. */
export type Transcript = Readonly<Record<string, Outcome>>;

const tool = (name: string, args: Record<string, unknown> = {}): Step => [
	`tools/call ${name} ${JSON.stringify(args)}`,
	(client) => client.call(name, args),
];

const prompt = (name: string, args?: Record<string, string>): Step => [
	`prompts/get ${name} ${JSON.stringify(args ?? {})}`,
	(client) => client.getPrompt({ name, ...(args ? { arguments: args } : {}) }),
];

const read = (uri: string): Step => [`resources/read ${uri}`, (client) => client.readResource({ uri })];

const completePrompt = (name: string, argument: string, value: string, context?: Record<string, string>): Step => [
	`completion/complete ${name} ${argument} ${value} ${JSON.stringify(context ?? {})}`,
	(client) =>
		client.complete({
			ref: { type: "ref/prompt", name },
			argument: { name: argument, value },
			...(context ? { context: { arguments: context } } : {}),
		}),
];

const completeTemplate = (uri: string, value: string): Step => [
	`completion/complete ${uri} ${value}`,
	(client) => client.complete({ ref: { type: "ref/resource", uri }, argument: { name: "resourceId", value } }),
];

const gzip = { name: "a.gz", data: "data:text/plain,hello" };

/** Everything that the server-everything answers without asking the client, and without remembering what came before. */
const steps: readonly Step[] = [
	["server", async (client) => [client.getServerVersion(), client.getServerCapabilities(), client.getInstructions()]],
	["ping", (client) => client.ping()],
	["logging/setLevel", (client) => client.setLoggingLevel("debug")],

	["tools/list", (client) => client.listTools()],
	tool("echo", { message: "Grüße, 世界 👩‍👩‍👧‍👦 \u2028" }),
	tool("echo", { message: "x".repeat(100_000) }),
	tool("get-sum", { a: 2, b: 40.5 }),
	tool("get-tiny-image"),
	tool("get-structured-content", { location: "Chicago" }),
	tool("get-annotated-message", { messageType: "error", includeImage: true }),
	tool("get-annotated-message", { messageType: "debug" }),
	tool("get-resource-links", { count: 4 }),
	tool("get-resource-reference", { resourceType: "Text", resourceId: 3 }),
	tool("get-resource-reference", { resourceType: "Blob", resourceId: 4 }),
	tool("trigger-long-running-operation", { duration: 0.2, steps: 2 }),

	tool("echo", {}),
	tool("get-sum", { a: "two", b: 1 }),
	tool("get-structured-content", { location: "Paris" }),
	tool("get-resource-reference", { resourceId: -1 }),
	tool("no-such-tool"),

	["prompts/list", (client) => client.listPrompts()],
	prompt("simple-prompt"),
	prompt("args-prompt", { city: "Köln" }),
	prompt("args-prompt", { city: "Austin", state: "Texas" }),
	prompt("completable-prompt", { department: "Sales", name: "Eve" }),
	prompt("resource-prompt", { resourceType: "Text", resourceId: "1" }),
	prompt("resource-prompt", { resourceType: "Blob", resourceId: "2" }),
	prompt("resource-prompt", { resourceType: "Text", resourceId: "none" }),
	prompt("args-prompt", {}),
	prompt("no-such-prompt"),

	["resources/list", (client) => client.listResources()],
	["resources/templates/list", (client) => client.listResourceTemplates()],
	read("demo://resource/dynamic/text/7"),
	read("demo://resource/dynamic/blob/8"),
	read("demo://resource/static/document/features.md"),
	read("demo://resource/dynamic/text/none"),
	read("demo://resource/nowhere"),
	["resources/subscribe", (client) => client.subscribeResource({ uri: "demo://resource/dynamic/text/1" })],
	["resources/unsubscribe", (client) => client.unsubscribeResource({ uri: "demo://resource/dynamic/text/1" })],

	completePrompt("completable-prompt", "department", "S"),
	completePrompt("completable-prompt", "name", "", { department: "Engineering" }),
	completePrompt("resource-prompt", "resourceType", "T"),
	completePrompt("resource-prompt", "resourceId", "12"),
	completeTemplate("demo://resource/dynamic/text/{resourceId}", "5"),
	completeTemplate("demo://resource/dynamic/blob/{resourceId}", "five"),
	completePrompt("no-such-prompt", "a", "b"),

	// Last: they add resources to a server that is kept.
	tool("gzip-file-as-resource", { ...gzip, outputType: "resource" }),
	tool("gzip-file-as-resource", { ...gzip, outputType: "resourceLink" }),
];

/** Asks for everything in order, so much of it at once. */
export async function runSurface(client: AnyClient, atOnce = 1): Promise<Transcript> {
	const outcomes: (readonly [string, Outcome])[] = [];
	for (let index = 0; index < steps.length; index += atOnce) {
		const batch = steps.slice(index, index + atOnce);
		outcomes.push(
			...(await Promise.all(batch.map(async ([name, run]) => [name, await outcomeOf(run(client))] as const))),
		);
	}
	return Object.fromEntries(outcomes);
}

async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
	return await call.then(
		(result) => ({ result: withoutTime(result) }),
		({ code, message, data }) => ({ error: { code, message, data } }),
	);
}

const stdioTranscripts = new Map<Sdk, Promise<Transcript>>();

/** What the same client gets of the same server over a pipe. */
export async function overStdio(sdk: Sdk): Promise<Transcript> {
	const transcript = stdioTranscripts.get(sdk) ?? runOverStdio(sdk);
	stdioTranscripts.set(sdk, transcript);
	return await transcript;
}

async function runOverStdio(sdk: Sdk): Promise<Transcript> {
	const client = await sdk.connect(sdk.stdio({ command: process.execPath, args: [everything] }));
	try {
		return await runSurface(client);
	} finally {
		await client.close();
	}
}

/** How a function is made of the server: all of them answer as the server does over a pipe. */
export type Kind = {
	readonly kind: string;
	readonly file: string;
	readonly parameters?: Partial<LambdaFunctionParameters>;
};

export const runs: Kind = { kind: "runStdioRequest", file: "mcp.mjs" };
export const middleware: Kind = { kind: "the middleware", file: "middleware.mjs" };
export const streams: Kind = {
	kind: "the middleware that streams",
	file: "middleware-streaming.mjs",
	parameters: { streaming: true },
};

/** Asks such a function and the server itself for everything, with the same client. */
export async function answersAsOverStdio(
	{ file, parameters }: Kind,
	runtime: Pick<Runtime, "runtime">,
	sdk: Sdk,
): Promise<void> {
	const lambda = await startLambda({
		everything: mcpFunction(everything, "environment", runtime, { handler: fixture(file) }),
	});
	const client = await connect(sdk, transportTo(lambda, "everything", parameters));
	expect(await runSurface(client)).toEqual(await overStdio(sdk));
	expect(lambda.environments("everything")).toHaveLength(1);
}

/** The dynamic resources say when they were made. */
function withoutTime(result: unknown): unknown {
	const withoutTimeIn = (text: string): string => text.replace(/created at .*/, "created at …");
	return JSON.parse(JSON.stringify(result), (key, value) => {
		if (typeof value !== "string") return value;
		if (key !== "blob") return withoutTimeIn(value);
		const bytes = Buffer.from(value, "base64").toString();
		return bytes.startsWith("Resource") ? withoutTimeIn(bytes) : value;
	});
}
