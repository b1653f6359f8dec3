import { afterEach, describe, expect, test, vi } from "vitest";
import { createMcpFetch, type McpFetchOptions } from "../../src/http/index.ts";
import { keepAlive, keepAliveMs } from "../../src/http/sse.ts";
import { createStreamedResult } from "../../src/result.ts";
import { leaveNothingBehind, leftovers } from "../support/processes.ts";
import { silent } from "../support/recorder.ts";
import { fixture } from "../support/servers.ts";
import { answered, receive, statusOf } from "./requests.ts";

leaveNothingBehind();
afterEach(() => void vi.useRealTimers());

type Sent = {
	readonly method?: string;
	readonly path?: string;
	readonly headers?: Readonly<Record<string, string | null>>;
	readonly body?: RequestInit["body"];
};

const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
const list = { jsonrpc: "2.0", id: 1, method: "tools/list" };
const notification = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } };
const response = { jsonrpc: "2.0", id: 1, result: {} };
const json = (value: unknown): Pick<Sent, "body"> => ({ body: JSON.stringify(value) });
const utf8 = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text));
const deep = (levels: number): string =>
	`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":${"[".repeat(levels)}${"]".repeat(levels)}}}`;

/** Sends what needs no server, as a client would over the wire. */
async function send({ method = "POST", path = "/mcp", headers = {}, body }: Sent, options: McpFetchOptions = {}) {
	const all = new Headers({ "content-type": "application/json", accept: "application/json, text/event-stream" });
	for (const [name, value] of Object.entries(headers)) {
		if (value === null) all.delete(name);
		else all.set(name, value);
	}
	const fetchMcp = createMcpFetch(fixture("well-behaved"), { standby: 0, observer: silent, ...options });
	const bodiless = method === "GET" || method === "HEAD";
	const init = { method, headers: all, body: bodiless ? null : (body ?? JSON.stringify(ping)) };
	const answer = await fetchMcp(new Request(`http://127.0.0.1:3000${path}`, init));
	const text = await answer.text();
	return { status: answer.status, headers: answer.headers, text, value: text === "" ? undefined : JSON.parse(text) };
}

describe("Streamable HTTP, without a process:", () => {
	test.each<[string, Sent, number, McpFetchOptions?]>([
		["ping", json(ping), 200],
		["a notification", json(notification), 202],
		["a response", json(response), 202],
		["an error", json({ jsonrpc: "2.0", id: 1, error: { code: -1, message: "no" } }), 202],
		["a batch of notifications and responses", json([notification, response]), 202],
		["a batch of pings", json([ping, { ...ping, id: 2 }]), 200],
		["a batch with what is no message", json([ping, 7]), 200],
		["a batch with one id twice", json([ping, ping]), 400],
		["a byte-order mark", { body: utf8(`\ufeff${JSON.stringify(ping)}`) }, 200],
		["white space around", { body: ` \r\n${JSON.stringify(ping)}\n` }, 200],
		["no UTF-8", { body: new Uint8Array([0x7b, 0xff, 0x7d]) }, 400],
		["UTF-16", { body: new Uint8Array(Buffer.from(JSON.stringify(ping), "utf16le")) }, 400],
		["nesting that a server could not be sent", { body: deep(100_000) }, 400],
		["no body", { body: "" }, 400],
		["an id that is null", json({ ...ping, id: null }), 400],
		["an id that is a fraction", json({ ...ping, id: 1.5 }), 400],
		["params that are a list", json({ ...ping, params: [] }), 400],
		["Accept: anything", { headers: { accept: "*/*" } }, 200],
		["no Accept", { headers: { accept: null } }, 200],
		["Accept in capitals, with weights", { headers: { accept: "TEXT/*;Q=0.1, Application/*; q=1.0" } }, 200],
		["Accept with a weight of zero", { headers: { accept: "application/json;q=0.000, */*" } }, 406],
		["Accept of JSON alone", { headers: { accept: "application/json" } }, 406],
		["no Content-Type", { headers: { "content-type": "" } }, 415],
		["a form", { headers: { "content-type": "application/x-www-form-urlencoded" } }, 415],
		["text, as a page may send it without a preflight", { headers: { "content-type": "text/plain" } }, 415],
		["JSON in capitals, with a charset", { headers: { "content-type": 'APPLICATION/JSON ; CharSet="UTF-8"' } }, 200],
		["JSON in another charset", { headers: { "content-type": "application/json; charset=utf-16" } }, 415],
		["no version", { headers: { "mcp-protocol-version": null } }, 200],
		["an unknown version", { headers: { "mcp-protocol-version": "2024-01-01" } }, 400],
		["an older revision's batch", { ...json([ping]), headers: { "mcp-protocol-version": "2025-03-26" } }, 200],
		["a newer revision's batch", { ...json([ping]), headers: { "mcp-protocol-version": "2025-06-18" } }, 400],
		["a session of elsewhere", { headers: { "mcp-session-id": "old" } }, 200],
		["the end of a session", { method: "DELETE" }, 405],
		["a stream without a request", { method: "GET", headers: { accept: "text/event-stream" } }, 405],
		["a preflight", { method: "OPTIONS", headers: { origin: "http://localhost" } }, 405],
		["the path with a slash behind", { path: "/mcp/" }, 200, { path: "/mcp" }],
		["the path without its slash", {}, 200, { path: "/mcp/" }],
		["the root", { path: "/" }, 200, { path: "/" }],
		["a longer path", { path: "/mcp/x" }, 404, { path: "/mcp" }],
		["a query behind the path", { path: "/mcp?x=1" }, 200, { path: "/mcp" }],
		["Origin: null", { headers: { origin: "null" } }, 403],
		["the health path", { method: "GET", path: "/health" }, 200, { healthPath: "/health" }],
	])("%s", async (_, sent, status, options) => {
		const answer = await send(sent, options);
		expect(answer.status).toBe(status);
		if (status === 202) {
			expect(answer.text).toBe("");
			return;
		}
		expect(answer.headers.get("content-type")).toBe("application/json");
		if (status >= 400) {
			expect(answer.value).toMatchObject({ jsonrpc: "2.0", error: { code: expect.any(Number) } });
			expect(answer.value.error.message).not.toBe("");
		}
		if (status === 405) expect(answer.headers.get("allow")).toBe("POST");
		expect(leftovers()).toEqual([]);
	});

	test("each message of a batch is answered for itself, what is none with an error", async () => {
		const batch = [ping, 7, notification, response, { ...ping, id: "b" }];
		expect((await send(json(batch))).value).toMatchObject([
			{ id: 1, result: {} },
			{ id: null, error: { code: -32600 } },
			{ id: "b", result: {} },
		]);
	});

	test("HEAD is answered as GET is, without a body", async () => {
		const options = { healthPath: "/health", resourceMetadata: { authorizationServers: ["https://a.example.com"] } };
		expect(await send({ method: "HEAD", path: "/health" }, options)).toMatchObject({ status: 200, text: "" });
		expect(await send({ method: "HEAD" }, options)).toMatchObject({ status: 405, text: "" });
		expect(answered({ method: "HEAD", path: "/.well-known/x" }, options)).toMatchObject({ status: 404, body: "" });
	});

	test("what is refused by its head is answered before its body is there", async () => {
		const fetchMcp = createMcpFetch(fixture("well-behaved"), { standby: 0, observer: silent });
		const never = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
		const headers = { "content-type": "application/json", origin: "https://evil.example.com" };
		const init = { method: "POST", headers, body: never, duplex: "half" };
		expect((await fetchMcp(new Request("http://127.0.0.1:3000/mcp", init as RequestInit))).status).toBe(403);
	});

	test("a body that breaks off is answered", async () => {
		const fetchMcp = createMcpFetch(fixture("well-behaved"), { standby: 0, observer: silent });
		const broken = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("gone")) });
		const headers = { "content-type": "application/json" };
		const init = { method: "POST", headers, body: broken, duplex: "half" };
		expect((await fetchMcp(new Request("http://127.0.0.1:3000/mcp", init as RequestInit))).status).toBe(400);
	});
});

test("digits that JavaScript would change reach the server as they were sent", () => {
	const body =
		'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"n":1915883588174806058}}}';
	const received = receive({ body });
	const [message] = "messages" in received ? received.messages : [];
	expect(message?.kind === "request" && JSON.stringify(message.request)).toBe(body);
});

test.each(["localhost", "127.0.0.1", "[::1]"])("a page on %s passes, whatever its port and the Host", (name) => {
	for (const origin of [`http://${name}`, `https://${name}:8443`]) {
		expect(statusOf({ headers: { origin, host: "mcp.example.com" }, body: list })).toBe(0);
	}
});

test("the Host and forwarded headers make no origin one's own", () => {
	const evil = "evil.example.com";
	const headers = { origin: `https://${evil}`, host: evil, "x-forwarded-host": evil, forwarded: `host=${evil}` };
	expect(statusOf({ headers })).toBe(403);
	expect(statusOf({ headers, ownOrigin: undefined })).toBe(403);
	expect(statusOf({ headers }, { allowedHosts: ["mcp.example.com"] })).toBe(403);
});

test("a stream that has nothing to tell is kept open by comments, until its answer", async () => {
	vi.useFakeTimers();
	const frames: string[] = [];
	const result = createStreamedResult({
		whole: () => "whole",
		streaming: (body) => body,
		frame: (message) => `data: ${JSON.stringify(message)}\n\n`,
		keepAlive: { text: keepAlive, everyMs: keepAliveMs },
	});
	let finish = (_: readonly [{ jsonrpc: "2.0"; id: number; result: Record<string, unknown> }]): void => {};
	const responses = new Promise<Parameters<typeof finish>[0]>((resolve) => {
		finish = resolve;
	});
	const responding = result.respond(responses, () => {});
	await vi.advanceTimersByTimeAsync(keepAliveMs);
	const stream = (await responding) as AsyncIterable<Buffer>;
	const reading = (async () => {
		for await (const chunk of stream) frames.push(String(chunk));
	})();
	await vi.advanceTimersByTimeAsync(keepAliveMs);
	finish([{ jsonrpc: "2.0", id: 1, result: {} }]);
	await reading;
	const text = frames.join("");
	expect(text).toBe(`: keep-alive\n\n: keep-alive\n\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n`);
});
