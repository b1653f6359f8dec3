import { describe, expect, test } from "vitest";
import { McpStdioError, type McpStdioErrorCode } from "../../src/errors.ts";
import type { JsonRpcResponse } from "../../src/jsonrpc.ts";
import { answered, type Given, receive, statusOf } from "./requests.ts";

const list = { jsonrpc: "2.0", id: 1, method: "tools/list" };
const initialized = { jsonrpc: "2.0", method: "notifications/initialized" };
const progress = {
	jsonrpc: "2.0",
	method: "notifications/progress",
	params: { progressToken: 1, progress: 1 },
} as const;
const ok: JsonRpcResponse = { jsonrpc: "2.0", id: 1, result: {} };

function whole(given: Given, ...[responses, notifications = []]: [JsonRpcResponse[], (typeof progress)[]?]) {
	const received = receive(given);
	if ("answered" in received) throw new Error(`answered with ${received.answered.status}`);
	return received.reply.whole(responses, notifications);
}

describe("a POST", () => {
	test("brings its message", () => {
		expect(receive({ body: list })).toMatchObject({ messages: [{ kind: "request", request: list }] });
		expect(receive({ body: initialized })).toMatchObject({ messages: [{ kind: "notification" }] });
	});

	test.each([
		["application/json", 0],
		["Application/JSON; charset=UTF-8", 0],
		['application/json;charset="utf-8"', 0],
		["application/json; charset=latin1", 415],
		["application/json-patch+json", 415],
		["text/plain", 415],
		["text/plain; application/json", 415],
		[undefined, 415],
	])("with the Content-Type %s gets %i", (contentType, status) => {
		expect(statusOf({ headers: { "content-type": contentType } })).toBe(status);
	});

	test.each([
		["application/json, text/event-stream", 0],
		["text/event-stream;q=0.5,APPLICATION/json;q=0.9", 0],
		["*/*", 0],
		["application/*, text/*", 0],
		["application/json, text/*;q=0.1", 0],
		[undefined, 0],
		["application/json", 406],
		["text/event-stream", 406],
		["text/html", 406],
		["", 406],
		["*/*, text/event-stream;q=0", 406],
	])("with Accept: %s gets %i", (accept, status) => {
		expect(statusOf({ headers: { accept } })).toBe(status);
	});

	test.each([
		["2025-11-25", 0],
		["2025-06-18", 0],
		["2025-03-26", 0],
		["2024-11-05", 0],
		[undefined, 0],
		["2023-01-01", 400],
		["", 400],
		["constructor", 400],
	])("with the protocol version %s gets %i", (version, status) => {
		expect(statusOf({ headers: { "mcp-protocol-version": version } })).toBe(status);
	});

	test("of an unsupported version is told which there are", () => {
		expect(answered({ headers: { "mcp-protocol-version": "1.0" } }).body).toMatchObject({
			jsonrpc: "2.0",
			id: null,
			error: { code: -32000, message: expect.stringContaining("2025-11-25, 2025-06-18, 2025-03-26") },
		});
	});

	test.each([
		["{", -32700],
		["", -32700],
		["{'jsonrpc':'2.0'}", -32700],
	])("whose body is %j is a parse error", (body, code) => {
		expect(answered({ body })).toMatchObject({ status: 400, body: { jsonrpc: "2.0", id: null, error: { code } } });
	});

	test.each([["[]"], ["x"], [{ id: 1 }], [{ jsonrpc: "2.0", id: null, method: "ping" }], [7]])(
		"whose body is %j is no message, and is told so with 400",
		(value) => {
			const body = JSON.stringify(value);
			const received = receive({ body });
			if ("answered" in received) throw new Error("answered");
			const [message] = received.messages;
			expect(message).toMatchObject({ kind: "invalid" });
			const failure = new McpStdioError("INVALID_MESSAGE", "Invalid request").toResponse(null);
			expect(received.reply.whole([failure], [])).toMatchObject({ status: 400 });
		},
	);

	test("that carries a response is taken, and nothing is asked of a server", () => {
		const received = receive({ body: { jsonrpc: "2.0", id: 9, result: { roots: [] } } });
		expect(received).toMatchObject({ messages: [] });
		expect(whole({ body: { jsonrpc: "2.0", id: 9, error: { code: 1, message: "no" } } }, [])).toEqual({
			status: 202,
			headers: {},
			body: "",
		});
	});
});

describe("the whole answer", () => {
	test("is 202 without a body to a notification", () => {
		expect(whole({ body: initialized }, [])).toEqual({ status: 202, headers: {}, body: "" });
	});

	test("is JSON without notifications", () => {
		expect(whole({}, [ok])).toEqual({
			status: 200,
			headers: { "content-type": "application/json" },
			body: JSON.stringify(ok),
		});
	});

	test("is a body of events with notifications, a data line for each message, in order", () => {
		const text: JsonRpcResponse = { jsonrpc: "2.0", id: 1, result: { text: "a\r\nb\u2028c" } };
		const { status, headers, body } = whole({}, [text], [progress]);
		expect({ status, type: headers["content-type"] }).toEqual({ status: 200, type: "text/event-stream" });
		const events = body.split("\n\n").filter((event) => event !== "");
		expect(events.map((event) => event.split("\n"))).toEqual([
			["event: message", `data: ${JSON.stringify(progress)}`],
			["event: message", `data: ${JSON.stringify(text)}`],
		]);
	});

	test.each<[McpStdioErrorCode, number]>([
		["SPAWN_FAILED", 502],
		["HANDSHAKE_FAILED", 502],
		["SERVER_EXITED", 502],
		["TIMEOUT", 504],
		["BUSY", 503],
		["CRASH_LOOP", 503],
		["INTERNAL_ERROR", 500],
		["INVALID_MESSAGE", 400],
	])("to a failure of the bridge, %s, is %i with a body of JSON-RPC", (code, status) => {
		const failure = { ...new McpStdioError(code, "failed").toResponse(null), id: 1 };
		const answer = whole({}, [failure]);
		expect(answer.status).toBe(status);
		expect(JSON.parse(answer.body)).toMatchObject({ jsonrpc: "2.0", id: 1, error: { data: { code } } });
	});

	test("to an error of the server's own is 200, whatever its data says", () => {
		const error = { code: -32603, message: "mine", data: { code: "TIMEOUT" } };
		expect(whole({}, [{ jsonrpc: "2.0", id: 1, error }]).status).toBe(200);
	});
});

describe("a batch", () => {
	const batch = [list, initialized, { ...list, id: 2 }];

	test.each(["2025-03-26", undefined])("is taken in the revision %s, and answered with an array", (version) => {
		const given = { body: batch, headers: { "mcp-protocol-version": version } };
		expect(receive(given)).toMatchObject({ messages: [{}, {}, {}] });
		const second: JsonRpcResponse = { ...ok, id: 2 };
		expect(JSON.parse(whole(given, [ok, second]).body)).toEqual([ok, second]);
		expect(JSON.parse(whole({ ...given, body: [list] }, [ok]).body)).toEqual([ok]);
	});

	test("of notifications is 202", () => {
		const headers = { "mcp-protocol-version": "2025-03-26" };
		expect(whole({ body: [initialized, initialized], headers }, []).status).toBe(202);
	});

	test.each(["2025-06-18", "2025-11-25"])("is refused in the revision %s", (version) => {
		expect(answered({ body: batch, headers: { "mcp-protocol-version": version } })).toMatchObject({
			status: 400,
			body: { id: null, error: { code: -32600, message: expect.stringContaining("send one message at a time") } },
		});
	});

	test.each([
		["is empty", []],
		["is very long", Array.from({ length: 101 }, () => initialized)],
		["has an initialize in it", [{ jsonrpc: "2.0", id: 1, method: "initialize", params: {} }, list]],
	])("that %s is refused", (_, body) => {
		expect(statusOf({ body, headers: { "mcp-protocol-version": "2025-03-26" } })).toBe(400);
	});
});

describe("another method", () => {
	test.each(["GET", "DELETE", "PUT", "PATCH", "OPTIONS", "post"])("%s gets 405 and what is allowed", (method) => {
		const { status, headers, body } = answered({ method });
		expect({ status, allow: headers.allow }).toEqual({ status: 405, allow: "POST" });
		expect(body).toMatchObject({ jsonrpc: "2.0", id: null, error: { code: -32000 } });
	});
});

describe("paths", () => {
	test("are all the endpoint's without the option path", () => {
		expect(statusOf({ path: "/" })).toBe(0);
		expect(statusOf({ path: "/any/where" })).toBe(0);
	});

	test("other than the option path get 404", () => {
		expect(statusOf({ path: "/mcp" }, { path: "/mcp" })).toBe(0);
		expect(statusOf({ path: "/mcp/" }, { path: "/mcp" })).toBe(0);
		expect(answered({ path: "/other" }, { path: "/mcp" })).toMatchObject({
			status: 404,
			body: { error: { message: expect.stringContaining("the endpoint is /mcp") } },
		});
	});

	test("of health checks are answered at once, also from a host that is not allowed", () => {
		const options = { healthPath: "/health", path: "/mcp", allowedHosts: ["mcp.example.com"] };
		expect(statusOf({ method: "GET", path: "/health" }, options)).toBe(200);
		expect(statusOf({ method: "HEAD", path: "/health" }, options)).toBe(200);
		expect(statusOf({ method: "POST", path: "/health" }, { ...options, allowedHosts: undefined })).toBe(404);
		expect(statusOf({ method: "GET", path: "/x", headers: { "user-agent": "ELB-HealthChecker/2.0" } })).toBe(200);
	});
});
