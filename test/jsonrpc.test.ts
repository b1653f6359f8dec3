import { JSONRPCNotificationSchema, JSONRPCRequestSchema, RequestIdSchema } from "@modelcontextprotocol/sdk/types.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isObject, isRequestId, receiveMessage } from "../src/jsonrpc.ts";

const anyJson = fc.jsonValue({ maxDepth: 2 });
const ids = fc.oneof(
	fc.constantFrom<unknown>(0, -0, "", "0", 1, -1, 1.5, true, false, null, 2 ** 53, 2 ** 53 - 1, -(2 ** 53), {}, []),
	fc.constantFrom<unknown>(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e21, { id: 1 }, [[1]]),
	fc.string(),
	fc.integer(),
	fc.double(),
	anyJson,
);
const versions = fc.oneof(fc.constantFrom<unknown>("2.0", "1.0", "2.00", " 2.0", 2, 2.0, null, ["2.0"]), anyJson);
const methods = fc.oneof(fc.string(), fc.constantFrom<unknown>("", "tools/list", "rpc.discover", null, 1, ["a"], {}));
const params = fc.oneof(
	fc.dictionary(fc.string(), anyJson),
	fc.constantFrom<unknown>({}, [], [1], null, "", 0, false, { _meta: null }, { _meta: { progressToken: 1.5 } }),
	anyJson,
);

const valid = fc.record(
	{
		jsonrpc: fc.constant("2.0"),
		id: fc.oneof(fc.string(), fc.integer()),
		method: fc.string(),
		params: fc.dictionary(fc.string(), anyJson),
	},
	{ requiredKeys: ["jsonrpc", "method"] },
);

/** A valid message of which one member is replaced, taken away or added. */
const flawed = fc
	.tuple(
		valid,
		fc.oneof(
			fc.record({ jsonrpc: versions }),
			fc.record({ id: ids }),
			fc.record({ method: methods }),
			fc.record({ params }),
			fc.constantFrom({ jsonrpc: undefined }, { method: undefined }, { result: {} }, { error: null }, { extra: 1 }),
		),
	)
	.map(([message, flaw]): unknown =>
		Object.fromEntries(Object.entries({ ...message, ...flaw }).filter(([, value]) => value !== undefined)),
	);

const wild = fc.record({ jsonrpc: versions, id: ids, method: methods, params }, { requiredKeys: [] });

const messages: fc.Arbitrary<unknown> = fc.oneof(valid, flawed, wild, anyJson, fc.array(valid));

/** What the SDK's schemas say of a message. */
function judgedBySdk(value: unknown): "request" | "notification" | "invalid" {
	if (JSONRPCRequestSchema.safeParse(value).success) return "request";
	return JSONRPCNotificationSchema.safeParse(value).success ? "notification" : "invalid";
}

/** The message without what is passed on here and judged by the server: unknown members and the contents of `_meta`. */
function withoutWhatPasses(value: unknown): unknown {
	if (!isObject(value)) return value;
	const known = ["jsonrpc", "id", "method", "params"].filter((name) => Object.hasOwn(value, name));
	const message = Object.fromEntries(known.map((name) => [name, value[name]]));
	if (!isObject(message.params)) return message;
	const { _meta, ...rest } = message.params;
	return { ...message, params: rest };
}

describe("receiveMessage", () => {
	test("accepts what the MCP SDK's schemas accept, as the same kind", () => {
		fc.assert(
			fc.property(messages, (message) => {
				const kind = judgedBySdk(message);
				fc.pre(kind !== "invalid");
				expect(receiveMessage(message).kind).toBe(kind);
			}),
			{ numRuns: 500 },
		);
	});

	test("judges as the MCP SDK's schemas do, unknown members and the contents of _meta aside", () => {
		fc.assert(
			fc.property(messages, (message) => {
				expect(receiveMessage(message).kind).toBe(judgedBySdk(withoutWhatPasses(message)));
			}),
			{
				numRuns: 1500,
				examples: [
					[{ jsonrpc: "2.0", id: 2 ** 53, method: "a" }],
					[{ jsonrpc: "2.0", id: 1.5, method: "a" }],
					[{ jsonrpc: "2.0", id: null, method: "a" }],
					[{ jsonrpc: "2.0", id: 1, method: "a", params: null }],
				],
			},
		);
	});

	test("gives an invalid message's id when it can be read, else null", () => {
		fc.assert(
			fc.property(messages, (message) => {
				const received = receiveMessage(message);
				fc.pre(received.kind === "invalid");
				const id = isObject(message) ? RequestIdSchema.safeParse(message.id) : { success: false, data: undefined };
				expect(received).toMatchObject({ id: id.success ? id.data : null, problem: expect.stringMatching(/./) });
			}),
			{ numRuns: 500 },
		);
	});

	test("hands a valid message over as it is, with all its members", () => {
		fc.assert(
			fc.property(valid, fc.dictionary(fc.string(), anyJson), (message, others) => {
				const whole = { ...others, ...message };
				const received = receiveMessage(whole);
				if ("id" in whole && isRequestId(whole.id)) {
					expect(received).toEqual({ kind: "request", request: whole });
					expect(received.kind === "request" && received.request).toBe(whole);
				} else {
					fc.pre(!("id" in whole));
					expect(received.kind === "notification" && received.notification).toBe(whole);
				}
			}),
		);
	});

	test.each<[unknown]>([[0], [""], [-1], ["0"], [2 ** 53 - 1], [-(2 ** 53 - 1)]])("takes %j for an id", (id) => {
		expect(receiveMessage({ jsonrpc: "2.0", id, method: "tools/list" })).toMatchObject({
			kind: "request",
			request: { id },
		});
	});

	test("takes an id that is undefined for none", () => {
		expect(receiveMessage({ jsonrpc: "2.0", id: undefined, method: "a", params: undefined }).kind).toBe("notification");
	});

	test.each<[unknown, string]>([
		[undefined, "the message is missing, not an object"],
		[null, "the message is null, not an object"],
		["{}", 'the message is the string "{}", not an object'],
		[42, "the message is the number 42, not an object"],
		[true, "the message is the boolean true, not an object"],
		[[], "the message is a batch; send one message at a time"],
		[[{ jsonrpc: "2.0", id: 1, method: "a" }], "the message is a batch; send one message at a time"],
		[{}, 'jsonrpc must be "2.0", not missing'],
		[{ jsonrpc: 2, id: 1, method: "a" }, 'jsonrpc must be "2.0", not the number 2'],
		[{ jsonrpc: "1.0", id: 1, method: "a" }, 'jsonrpc must be "2.0", not the string "1.0"'],
		[{ jsonrpc: "2.0", id: null, method: "a" }, "id must be a string or an integer, not null"],
		[{ jsonrpc: "2.0", id: 1.5, method: "a" }, "id must be a string or an integer, not the number 1.5"],
		[{ jsonrpc: "2.0", id: { a: 1 }, method: "a" }, "id must be a string or an integer, not an object"],
		[{ jsonrpc: "2.0", id: ["a"], method: "a" }, "id must be a string or an integer, not an array"],
		[{ jsonrpc: "2.0", id: 1 }, "method must be a string, not missing"],
		[{ jsonrpc: "2.0", id: 1, method: 7 }, "method must be a string, not the number 7"],
		[{ jsonrpc: "2.0", id: 1, result: {} }, "the message is a response; only requests and notifications can be sent"],
		[{ jsonrpc: "2.0", id: 1, error: { code: 1, message: "" } }, "the message is a response; only requests"],
		[{ jsonrpc: "2.0", id: 1, method: "a", params: [] }, "params must be an object, not an array"],
		[{ jsonrpc: "2.0", method: "a", params: "b" }, 'params must be an object, not the string "b"'],
	])("says what is wrong with %j", (message, problem) => {
		const received = receiveMessage(message);
		expect(received.kind === "invalid" && received.problem).toContain(problem);
	});

	test("shows no more than the beginning of what is wrong", () => {
		const received = receiveMessage({ jsonrpc: "2.0", id: 1, method: "a", params: "x".repeat(1_000_000) });
		expect(received.kind === "invalid" && received.problem.length).toBeLessThan(150);
	});

	test.each<[string, unknown]>([
		["a bigint", 1n],
		["a symbol", Symbol("id")],
		["a function", () => 1],
		["a date", new Date(0)],
		["NaN", Number.NaN],
	])("calls a message invalid in which JSON could not hold %s", (_, value) => {
		expect(receiveMessage(value)).toMatchObject({ kind: "invalid", id: null });
		expect(receiveMessage({ jsonrpc: "2.0", id: value, method: "a" })).toMatchObject({ kind: "invalid", id: null });
		expect(receiveMessage({ jsonrpc: "2.0", id: 1, method: value })).toMatchObject({ kind: "invalid", id: 1 });
	});

	test("names a number that JSON.stringify would call null", () => {
		const received = receiveMessage(JSON.parse('{"jsonrpc":"2.0","id":1e400,"method":"a"}'));
		expect(received).toMatchObject({ problem: "id must be a string or an integer, not the number Infinity" });
	});
});
