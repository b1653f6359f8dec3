import { describe, expect, test } from "vitest";
import { createMcpFetch, type ServerCard } from "../../src/http/index.ts";
import { answered, type Given, statusOf } from "./requests.ts";

const serverCard: ServerCard = { name: "com.example/weather", version: "1.0.0", description: "What the weather is." };
const own = "https://abc.lambda-url.eu-west-1.on.aws";
const get = (path: string, more: Given = {}): Given => ({ ...more, method: "GET", path });
const catalog = "/.well-known/ai-catalog.json";

describe("the card of a server", () => {
	test("is what the draft asks for, behind the endpoint, for every page", () => {
		const { status, headers, body } = answered(get("/mcp/server-card"), { path: "/mcp", serverCard });
		expect(status).toBe(200);
		expect(headers).toMatchObject({
			"content-type": "application/mcp-server-card+json",
			"Access-Control-Allow-Origin": "*",
			"Access-Control-Expose-Headers": "ETag",
			"cache-control": "public, max-age=3600",
			etag: expect.stringMatching(/^"[\w-]+"$/),
		});
		expect(body).toEqual({
			$schema: "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json",
			...serverCard,
			remotes: [
				{
					type: "streamable-http",
					url: `${own}/mcp`,
					supportedProtocolVersions: ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"],
				},
			],
		});
	});

	test.each<[string, Given, Parameters<typeof answered>[1], string | undefined]>([
		["a stage", get("/mcp/server-card", { basePath: "/prod" }), { path: "/mcp/" }, `${own}/prod/mcp`],
		["any path", get("/any/where/server-card"), {}, `${own}/any/where`],
		[
			"what the deployer set",
			get("/mcp/server-card", { headers: { host: "evil.example.com" } }),
			{ resourceMetadata: { authorizationServers: [], resource: "https://mcp.example.com/mcp" } },
			"https://mcp.example.com/mcp",
		],
		[
			"nothing that only a header says",
			get("/mcp/server-card", { ownOrigin: undefined, headers: { "x-forwarded-host": "evil.example.com" } }),
			{},
			undefined,
		],
	])("names the endpoint with %s", (_, given, options, url) => {
		const { remotes } = answered(given, { ...options, serverCard }).body as { remotes?: { url: string }[] };
		expect(remotes?.[0]?.url).toBe(url);
	});

	test("keeps the remotes of the deployer", () => {
		const remotes = [{ type: "streamable-http", url: "https://{tenant}.example.com/mcp" }];
		expect(answered(get("/mcp/server-card"), { serverCard: { ...serverCard, remotes } }).body).toMatchObject({
			remotes,
		});
	});

	test("is not sent again to who has it", () => {
		const etag = answered(get("/mcp/server-card"), { serverCard }).headers.etag ?? "";
		for (const known of [etag, `"other", W/${etag}`, "*"]) {
			const given = get("/mcp/server-card", { headers: { "if-none-match": known } });
			expect(answered(given, { serverCard })).toMatchObject({ status: 304, body: "", headers: { etag } });
		}
		const changed = { ...serverCard, version: "1.0.1" };
		const given = get("/mcp/server-card", { headers: { "if-none-match": etag } });
		expect(answered(given, { serverCard: changed }).status).toBe(200);
	});

	test("is found through the catalog of the domain", () => {
		const { status, headers, body } = answered(get(catalog), { path: "/mcp", serverCard });
		expect(status).toBe(200);
		expect(headers).toMatchObject({
			"content-type": "application/ai-catalog+json",
			"Access-Control-Allow-Origin": "*",
		});
		const [entry] = (body as { entries: { url: string }[] }).entries;
		expect(body).toEqual({
			specVersion: "1.0",
			entries: [
				{
					identifier: "urn:air:example.com:mcp:weather",
					type: "application/mcp-server-card+json",
					url: `${own}/mcp/server-card`,
				},
			],
		});
		expect(statusOf(get(new URL(entry?.url ?? "").pathname), { path: "/mcp", serverCard })).toBe(200);
		const alone = answered(get(catalog, { ownOrigin: undefined }), { serverCard }).body;
		expect(alone).toMatchObject({ entries: [{ data: { name: "com.example/weather" } }] });
	});

	test("is answered to HEAD and to a preflight, also from a foreign page", () => {
		const headers = { origin: "https://any.example.com" };
		const path = "/mcp/server-card";
		expect(answered({ method: "HEAD", path, headers }, { serverCard })).toMatchObject({ status: 200, body: "" });
		expect(answered({ method: "OPTIONS", path, headers }, { serverCard })).toMatchObject({ status: 204, body: "" });
		expect(answered(get(path, { headers }), { serverCard }).status).toBe(200);
	});

	test.each([
		["without the option", get("/mcp/server-card"), { path: "/mcp" }, 404],
		["behind another path", get("/other/server-card"), { path: "/mcp", serverCard }, 404],
		["with POST", { path: "/mcp/server-card" }, { path: "/mcp", serverCard }, 404],
		["and so is no catalog", get(catalog), {}, 404],
	])("is not there %s", (_, given, options, status) => {
		expect(statusOf(given, options)).toBe(status);
	});
});

test.each([
	[{}],
	[{ ...serverCard, name: "weather" }],
	[{ ...serverCard, name: "a/b/c" }],
	[{ ...serverCard, description: "x".repeat(101) }],
	[{ ...serverCard, version: 1 }],
	[{ ...serverCard, websiteUrl: "example.com" }],
	[{ ...serverCard, tools: [] }],
	[{ ...serverCard, remotes: ["https://mcp.example.com"] }],
])("%j is no card", (card) => {
	const options = { serverCard: card as ServerCard };
	expect(() => createMcpFetch({ command: "node" }, options)).toThrow("options.serverCard must be an object with name");
});
