import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { expect, test, vi } from "vitest";
import { createSigV4Fetch } from "../../../src/client/index.ts";
import { secret, startVerifyingServer } from "./verifier.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: secret, sessionToken: "token" };

test.each([
	["v1", () => new Client({ name: "test", version: "1" }), StreamableHTTPClientTransport],
	["v2", () => new ClientV2({ name: "test", version: "1" }), TransportV2],
] as const)(
	"the MCP SDK's client %s works against a server that verifies signatures",
	async (_, createClient, Transport) => {
		const mcp = new McpServer({ name: "server", version: "1" });
		mcp.registerTool("greet", { description: "Greets" }, async () => ({
			content: [{ type: "text", text: "hello ü" }],
		}));
		const serverTransport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => "session-1" });
		await mcp.connect(serverTransport as never);
		await using server = await startVerifyingServer((request, response, body) => {
			void serverTransport.handleRequest(request, response, body.length > 0 ? JSON.parse(body.toString()) : undefined);
		});
		const transport = new Transport(new URL(`${server.url}/invocations?qualifier=DEFAULT`), {
			fetch: createSigV4Fetch({ service: "bedrock-agentcore", region: "eu-west-1", credentials }),
		});
		const client = createClient();
		const changed = vi.fn();
		client.fallbackNotificationHandler = async ({ method }) => changed(method);
		await client.connect(transport as never);
		expect((await client.listTools()).tools).toMatchObject([{ name: "greet" }]);
		expect(await client.callTool({ name: "greet" })).toMatchObject({ content: [{ text: "hello ü" }] });
		await vi.waitFor(() => expect(server.received.map(({ method }) => method)).toContain("GET"));
		await vi.waitFor(async () => {
			mcp.sendToolListChanged();
			await new Promise((resolve) => setTimeout(resolve, 20));
			expect(changed).toHaveBeenCalledWith("notifications/tools/list_changed");
		});
		await transport.terminateSession();
		await client.close();
		expect(server.received.map(({ method }) => method)).toContain("DELETE");
		expect(server.refusals).toEqual([]);
		await mcp.close();
	},
);
