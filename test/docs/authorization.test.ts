import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startLambda } from "../local/lambda.ts";
import { root, type Snippet, snippetsOf } from "./snippets.ts";

// In dist, where the package's own name means the built package.
mkdirSync(join(root, "dist"), { recursive: true });
const folder = mkdtempSync(join(root, "dist", "authorization-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const audience = "https://mcp.example";

function handlerOf(kind: string): string {
	const snippet = snippetsOf("docs/authorization.md").find((candidate) => candidate.kind === kind) as Snippet;
	const path = join(folder, `${kind}.mjs`);
	writeFileSync(path, snippet.code);
	return path;
}

let issuer: string;
let privateKey: Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];

/** An issuer of tokens, as far as its keys go. */
beforeAll(async () => {
	const pair = await generateKeyPair("ES256");
	privateKey = pair.privateKey;
	const jwk = { ...(await exportJWK(pair.publicKey)), kid: "one", alg: "ES256" };
	const server = createServer((_, response) => response.end(JSON.stringify({ keys: [jwk] })));
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	return () => server.close();
});

const tokenOf = (claims: Record<string, unknown>, key = privateKey) =>
	new SignJWT(claims)
		.setProtectedHeader({ alg: "ES256", kid: "one" })
		.setIssuer(issuer)
		.setAudience(audience)
		.setExpirationTime("5m")
		.sign(key);

describe("the handler that checks tokens", () => {
	async function start() {
		const lambda = await startLambda(
			{
				tokens: {
					handler: handlerOf("handler-of-tokens"),
					memorySizeMb: 1024,
					timeoutMs: 60_000,
					environment: { ISSUER: issuer, AUDIENCE: audience },
				},
			},
			{
				fronts: {
					api: { kind: "httpApi", functionName: "tokens" },
					url: { kind: "functionUrl", functionName: "tokens" },
				},
			},
		);
		const send = (method: string, params: object, token?: string, front = "api") =>
			fetch(`${lambda.urls[front]}mcp`, {
				method: "POST",
				headers: {
					"Content-Type": "application/json",
					Accept: "application/json, text/event-stream",
					...(token && { Authorization: `Bearer ${token}` }),
				},
				body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
			});
		return { lambda, send };
	}
	// biome-ignore lint/suspicious/noExplicitAny: the shape is what the test asserts.
	const json = async (response: Promise<Response>): Promise<any> => await (await response).json();

	test("asks for a token, and for one that is good", async () => {
		const { lambda, send } = await start();
		const without = await send("tools/list", {});
		expect(without.status).toBe(401);
		expect(without.headers.get("www-authenticate")).toMatch(/^Bearer resource_metadata="https:.*, scope="mcp:read"$/);
		const { privateKey: foreign } = await generateKeyPair("ES256");
		const other = await send("tools/list", {}, await tokenOf({ scope: "mcp:read" }, foreign));
		expect([other.status, other.headers.get("www-authenticate")]).toEqual([
			401,
			expect.stringContaining('error="invalid_token"'),
		]);
		// A Function URL gives the header another name.
		const renamed = await send("tools/list", {}, undefined, "url");
		expect(renamed.headers.get("www-authenticate")).toBeNull();
		expect(renamed.headers.get("x-amzn-remapped-www-authenticate")).toContain("resource_metadata=");
		const metadata = await fetch(new URL("/.well-known/oauth-protected-resource/mcp", lambda.urls.url));
		expect(await metadata.json()).toMatchObject({
			authorization_servers: [issuer],
			scopes_supported: ["mcp:read", "mcp:write"],
		});
	});

	test("gives a caller what its scopes grant, and its token to nobody", async () => {
		const { lambda, send } = await start();
		const token = await tokenOf({ scope: "openid mcp:read" });
		const { tools } = (await json(send("tools/list", {}, token))).result;
		expect(tools.length).toBeGreaterThan(3);
		for (const { name } of tools) expect(name).toMatch(/^get-/);
		const echo = { name: "echo", arguments: { message: "hello" } };
		expect((await json(send("tools/call", echo, token))).error).toMatchObject({ code: -32602 });
		const writes = await tokenOf({ scope: "mcp:write" });
		expect((await json(send("tools/call", echo, writes))).result.content[0].text).toBe("Echo: hello");
		const env = JSON.stringify(await json(send("tools/call", { name: "get-env", arguments: {} }, token)));
		expect(env).toContain("PATH");
		const seen = env + JSON.stringify(lambda.logs);
		for (const secret of [token, writes]) expect(seen).not.toContain(secret.slice(-40));
	});
});

test("the handler of claims grants nothing to a caller without any", async () => {
	const lambda = await startLambda(
		{ claims: { handler: handlerOf("handler-of-claims"), memorySizeMb: 1024, timeoutMs: 60_000 } },
		{},
		{ onTestFinished },
	);
	const list = await lambda.invoke("claims", { jsonrpc: "2.0", id: 1, method: "tools/list" });
	expect(list.payload.result.tools).toEqual([]);
	const call = await lambda.invoke("claims", { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "echo" } });
	expect(call.payload.error).toMatchObject({ code: -32602 });
});
