import { describe, expect, test } from "vitest";
import { decodeDirect, decodeUnhandled } from "../../src/events/direct.ts";

const request = { jsonrpc: "2.0", id: 0, method: "tools/list" } as const;
const response = { jsonrpc: "2.0", id: 0, result: {} } as const;

describe("decodeDirect", () => {
	test("takes a request as it is, and its response as the result", () => {
		const decoded = decodeDirect(request);
		expect(decoded?.messages).toEqual([{ kind: "request", request }]);
		expect(decoded?.encode([response])).toBe(response);
	});

	test("takes a notification, whose result is empty", () => {
		const notification = { jsonrpc: "2.0", method: "notifications/initialized" };
		const decoded = decodeDirect(notification);
		expect(decoded?.messages).toEqual([{ kind: "notification", notification }]);
		expect(decoded?.encode([])).toEqual({});
	});

	test.each([
		["of another version", { ...request, jsonrpc: "1.0" }, 0],
		["without a method", { jsonrpc: "2.0", id: 7 }, 7],
		["that is a response", response, 0],
		["with an id that is none", { ...request, id: null }, null],
		["that is a batch", [request], null],
	])("recognises a message %s as invalid", (_, event, id) => {
		expect(decodeDirect(event)?.messages).toMatchObject([{ kind: "invalid", id }]);
	});

	test.each([
		["a schedule's", { source: "aws.events", "detail-type": "Scheduled Event", detail: {} }],
		["an HTTP request", { version: "2.0", rawPath: "/", requestContext: { http: {} }, body: JSON.stringify(request) }],
		["an empty one", {}],
		["a list of other things", [1, null]],
		["a string", "jsonrpc"],
		["null", null],
	])("leaves other events alone: %s", (_, event) => {
		expect(decodeDirect(event)).toBeUndefined();
		const unhandled = { kind: "invalid", problem: expect.stringContaining("no handler answered the event") };
		expect(decodeUnhandled(event).messages).toMatchObject([unhandled]);
	});
});
