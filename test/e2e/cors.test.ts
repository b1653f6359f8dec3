import { expect, test } from "vitest";
import { fixture, startLambda } from "../local/lambda.ts";
import { fixtureServer, mcpFunction } from "./function.ts";

const origin = "https://app.example.com";

test.each([false, true])("@middy/http-cors and the middleware serve a web page; streaming: %s", async (streaming) => {
	const environment = streaming ? { STREAMS: "1" } : {};
	const handler = fixture("cors.mjs");
	const own = mcpFunction(fixtureServer("sends-progress"), "environment", { runtime: "own" }, { handler, environment });
	const lambda = await startLambda(
		{ cors: own },
		{ fronts: { url: { kind: "functionUrl", functionName: "cors", streaming } } },
	);
	const send = (method: string, from: string, headers: Record<string, string>, body?: object) =>
		fetch(`${lambda.urls.url}mcp`, {
			method,
			headers: { Origin: from, ...headers },
			...(body && { body: JSON.stringify(body) }),
		});
	const asked = { "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "mcp-protocol-version" };
	const preflight = await send("OPTIONS", origin, asked);
	expect(preflight.status).toBe(204);
	expect(preflight.headers.get("access-control-allow-origin")).toBe(origin);
	expect(preflight.headers.get("access-control-allow-headers")).toContain("mcp-protocol-version");

	const mcp = { "Content-Type": "application/json", Accept: "application/json, text/event-stream" };
	const list = { jsonrpc: "2.0", id: 1, method: "tools/list" };
	const answered = await send("POST", origin, mcp, list);
	expect([answered.status, answered.headers.get("access-control-allow-origin")]).toEqual([200, origin]);
	expect(await answered.text()).toContain('"tools"');

	const foreign = await send("POST", "https://evil.example", mcp, list);
	expect(foreign.status).toBe(403);
	expect(foreign.headers.get("access-control-allow-origin")).toBeNull();
});
