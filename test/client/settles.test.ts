import type { LambdaClient } from "@aws-sdk/client-lambda";
import { Client as Client2 } from "@modelcontextprotocol/client";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { LambdaFunctionClientTransport } from "../../src/client/index.ts";

const odd = fc.oneof(
	fc.constantFrom(null, "", 0, 1.5),
	fc.constant({}),
	fc.constant([]),
	fc.jsonValue({ maxDepth: 2 }),
);
const some = <T>(members: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(members, { requiredKeys: [] });
const meta = some({
	progressToken: odd,
	"io.modelcontextprotocol/related-task": fc.oneof(odd, some({ taskId: odd })),
});
const response = some({
	result: fc.oneof(odd, some({ content: fc.constantFrom<unknown[]>([], 0), _meta: fc.oneof(odd, meta) })),
	error: fc.oneof(odd, some({ code: odd, message: odd, data: odd, more: odd })),
	method: odd,
	more: odd,
});

const initialized = {
	protocolVersion: "2025-11-25",
	capabilities: { tools: {} },
	serverInfo: { name: "server", version: "1" },
};
const info = { name: "test", version: "1" };

type Call = (transport: LambdaFunctionClientTransport) => Promise<() => Promise<unknown>>;

test.each<[string, Call]>([
	[
		"SDK 1",
		async (transport) => {
			const client = new Client1(info);
			await client.connect(transport);
			return () => client.callTool({ name: "x" }, undefined, { timeout: 1000 });
		},
	],
	[
		"SDK 2",
		async (transport) => {
			const client = new Client2(info);
			await client.connect(transport);
			return () => client.callTool({ name: "x" }, { timeout: 1000 });
		},
	],
])("no response that a function can make leaves a request of %s waiting", async (_, connect) => {
	let given: object = {};
	const send = async ({ input }: { readonly input: { readonly Payload: string } }) => {
		const { id, method } = JSON.parse(input.Payload);
		const answer = method === "initialize" ? { result: initialized } : given;
		return { Payload: Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, ...answer })) };
	};
	const client = { send } as unknown as LambdaClient;
	const transport = new LambdaFunctionClientTransport({ functionName: "odd", client });
	onTestFinished(() => transport.close());
	const call = await connect(transport);
	await fc.assert(
		fc.asyncProperty(response, async (answer) => {
			given = answer;
			const outcome = await call().then(
				() => "a result",
				(error: Error) => error.message,
			);
			expect(outcome).not.toMatch(/timed out/i);
		}),
		{ numRuns: 500 },
	);
});
