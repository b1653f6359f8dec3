import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type IncomingMessage, idAt, parseLine } from "../../src/child/incoming.ts";

function parse(line: string | Buffer) {
	const messages: IncomingMessage[] = [];
	const noise: [problem: string, text: string][] = [];
	const unreadable: number[] = [];
	parseLine(Buffer.from(line), {
		onMessage: (message) => {
			if (message.kind === "response") expect(message.length).toBeGreaterThan(0);
			messages.push(message.kind === "response" ? { ...message, length: 0 } : message);
		},
		onNoise: (problem, text) => noise.push([problem, text]),
		onUnreadable: (id) => unreadable.push(id),
	});
	return { messages, noise, ...(unreadable.length > 0 && { unreadable }) };
}

const result = { jsonrpc: "2.0", id: 7, result: { ok: true } };
const notification = { jsonrpc: "2.0", method: "notifications/progress", params: { progress: 1 } };
const asResponse = (response: Record<string, unknown>) => ({
	kind: "response",
	id: response.id,
	response,
	writable: true,
	length: 0,
});

describe("parseLine", () => {
	test.each<[object, object]>([
		[result, asResponse(result)],
		[
			{ jsonrpc: "2.0", id: 0, error: { code: 1, message: "no" } },
			asResponse({ jsonrpc: "2.0", id: 0, error: { code: 1, message: "no" } }),
		],
		[{ result: {}, id: "7" }, asResponse({ result: {}, id: "7" })],
		[{ id: null, error: {} }, asResponse({ id: null, error: {} })],
		[{ error: {} }, { kind: "response", id: null, response: { error: {} }, writable: true, length: 0 }],
		[{ jsonrpc: "2.0", id: 7 }, asResponse({ jsonrpc: "2.0", id: 7 })],
		[{ jsonrpc: "2.0", id: 7, method: 7 }, asResponse({ jsonrpc: "2.0", id: 7, method: 7 })],
		[notification, { kind: "notification", notification }],
		[
			{ ...notification, id: null },
			{ kind: "notification", notification: { ...notification, id: null } },
		],
		[
			{ jsonrpc: "2.0", id: 0, method: "roots/list" },
			{ kind: "request", id: 0, method: "roots/list", params: undefined },
		],
		[
			{ jsonrpc: "2.0", id: "", method: "ping" },
			{ kind: "request", id: "", method: "ping", params: undefined },
		],
		[
			{ id: -1, method: "", result: {} },
			{ kind: "request", id: -1, method: "", params: undefined },
		],
	])("takes %j for what it is", (message, expected) => {
		expect(parse(JSON.stringify(message))).toStrictEqual({ messages: [expected], noise: [] });
	});

	test.each(["", " ", "\r", "\t \r", "\u00a0"])("is silent about the blank line %j", (line) => {
		expect(parse(line)).toStrictEqual({ messages: [], noise: [] });
	});

	test.each([["\r"], [" "], ["\t\r"]])("ignores %j around a message", (space) => {
		expect(parse(`${space}${JSON.stringify(result)}${space}`)).toStrictEqual({
			messages: [asResponse(result)],
			noise: [],
		});
	});

	test("gives the messages of a batch in order", () => {
		const request = { jsonrpc: "2.0", id: "a", method: "ping" };
		expect(parse(JSON.stringify([notification, result, request]))).toStrictEqual({
			messages: [
				{ kind: "notification", notification },
				asResponse(result),
				{ kind: "request", id: "a", method: "ping", params: undefined },
			],
			noise: [],
		});
	});

	test("reports what is no message in a batch, and gives the rest", () => {
		const line = JSON.stringify([5, result, null]);
		expect(parse(line)).toStrictEqual({
			messages: [asResponse(result)],
			noise: [
				["JSON that is not JSON-RPC", line],
				["JSON that is not JSON-RPC", line],
			],
		});
	});

	test.each([["5"], ['"text"'], ["true"], ["null"], ["{}"], ['{"level":30,"msg":"started"}'], ["[]"], ["[[]]"]])(
		"reports %s as JSON that is not JSON-RPC",
		(line) => {
			const { messages, noise } = parse(line);
			expect(messages).toStrictEqual([]);
			expect(noise).toStrictEqual([["JSON that is not JSON-RPC", line]]);
		},
	);

	test.each([
		["Listening on stdio"],
		["{"],
		["[1] 4711"],
		["{'jsonrpc': '2.0'}"],
		["NaN"],
		['start {"jsonrpc":"2.0", oh no'],
		["日本語 👩‍👩‍👧‍👦"],
	])("reports %s as a line that is not JSON", (line) => {
		expect(parse(line)).toStrictEqual({ messages: [], noise: [["a line that is not JSON", line]] });
	});

	test.each([
		['{"jsonrpc":"2.0","id":7,"result":{', 7],
		['{"jsonrpc":"2.0","id":7,"result":{"a":NaN}}', 7],
		['{"jsonrpc":"2.0","id":"7","result":{"a":Infinity}}', 7],
		['{"result":{"a":NaN},"jsonrpc":"2.0","id":7}', 7],
		['{"result":"two}]},"id":7}', 7],
	])("tells which request %s answers, though it cannot be read", (line, id) => {
		expect(parse(line)).toStrictEqual({
			messages: [],
			noise: [["a line that is not JSON", line]],
			unreadable: [id],
		});
	});

	test.each([
		["text behind it", (json: string) => `${json} done`, [["text behind a message", "done"]]],
		["a byte-order mark", (json: string) => `\ufeff${json}`, []],
		["colours around it", (json: string) => `\u001b[32m${json}\u001b[0m\r`, []],
		["a control character in a string", (json: string) => json.replace("true", '"a\tb\u0001c"'), []],
	])("reads a message with %s", (_, decorate, noise) => {
		const line = decorate(JSON.stringify(result));
		const value = line.includes("a\tb") ? { ...result, result: { ok: "a\tb\u0001c" } } : result;
		expect(parse(line)).toStrictEqual({ messages: [asResponse(value)], noise });
	});

	test.each([
		["", ""],
		[" ", ""],
		["\ufeff", "\r"],
		[",", ""],
	])("reads messages in a row, with %j between", (between, end) => {
		const line = `${JSON.stringify(result)}${between}${JSON.stringify(notification)}${end}`;
		expect(parse(line)).toStrictEqual({
			messages: [asResponse(result), { kind: "notification", notification }],
			noise: [],
		});
	});

	test("reads messages in a row and with text behind as if each stood alone", () => {
		const text = fc.string().filter((value) => !/[{}[\]"\n]/.test(value));
		const message = fc.record({
			jsonrpc: fc.constant("2.0"),
			id: fc.nat(),
			result: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.constant(null))),
		});
		fc.assert(
			fc.property(fc.array(message, { minLength: 1, maxLength: 4 }), text, (messages, behind) => {
				const json = messages.map((item) => JSON.stringify(item));
				const alone = json.flatMap((item) => parse(item).messages);
				expect(parse(json.join(" ") + behind).messages).toStrictEqual(alone);
			}),
		);
	});

	test.each([
		["Server ready.", result],
		["> ", { result: {}, jsonrpc: "2.0", id: 7 }],
		["[info] ", { error: {}, id: 7 }],
		["50% {", { id: 7, result: {} }],
		["\u001b[32mok\u001b[0m", { id: 7, jsonrpc: "2.0", result: { text: '{"id":8}' } }],
	])("gives the message behind the text %j, which it reports", (banner, response) => {
		expect(parse(banner + JSON.stringify(response))).toStrictEqual({
			messages: [asResponse(response)],
			noise: [["text in front of a message", banner]],
		});
	});

	test("gives the message of a server that writes spaces between its members, behind a text", () => {
		expect(parse('Ready.{"jsonrpc": "2.0", "id" : 7, "result": {}}').messages).toHaveLength(1);
	});

	test("does not look for a message inside of another, or inside of a text", () => {
		const { messages } = parse(JSON.stringify({ jsonrpc: "2.0", id: 1, result: { inner: result } }));
		expect(messages).toMatchObject([{ id: 1 }]);
		expect(parse(JSON.stringify(`text ${JSON.stringify(result)}`)).messages).toStrictEqual([]);
	});

	test("does not look for a message behind more than a megabyte of text", () => {
		const message = JSON.stringify(result);
		const megabyte = 1024 * 1024;
		expect(parse("x".repeat(megabyte - message.length) + message).messages).toHaveLength(1);
		expect(parse("x".repeat(megabyte - message.length + 1) + message).messages).toHaveLength(0);
	});

	test("gives a message of more than a megabyte", () => {
		const long = { ...result, result: { text: "x".repeat(2 * 1024 * 1024) } };
		expect(parse(JSON.stringify(long)).messages).toStrictEqual([asResponse(long)]);
	});

	test("takes bytes that are no UTF-8 for noise, or for replacement characters within a message", () => {
		expect(parse(Buffer.from([0xff, 0xfe, 0x00])).noise).toHaveLength(1);
		const broken = Buffer.concat([Buffer.from('{"id":7,"result":{"a":"'), Buffer.of(0xff), Buffer.from('"}}')]);
		expect(parse(broken).messages).toStrictEqual([asResponse({ id: 7, result: { a: "\ufffd" } })]);
	});

	test("gives each message or reports each line, whatever comes", () => {
		fc.assert(
			fc.property(fc.oneof(fc.json(), fc.string({ unit: "binary" })), (line) => {
				const { messages, noise } = parse(line);
				const { length } = messages.concat(noise as never);
				if (line.trim() === "") expect(length).toBe(0);
				else expect(length).toBeGreaterThan(0);
			}),
			{ numRuns: 500 },
		);
	});
});

describe("idAt", () => {
	const idOfHead = (head: string) => idAt(head, "head");
	const idOfTail = (tail: string) => idAt(tail, "tail");

	test.each<[string, number]>([
		['{"jsonrpc":"2.0","id":7,"result":{"text":"xxx', 7],
		['{"jsonrpc": "2.0", "id": 12, "result": {"text": "xxx', 12],
		['{"id":0,"jsonrpc":"2.0","result":{"text":"xxx', 0],
		[' { "jsonrpc" : "2.0" , "id" : 7 , "error" : {', 7],
		['\r{"id":123456789,"result":{"items":[{"id":5}', 123456789],
	])("reads it from the head %s", (head, id) => {
		expect(idOfHead(head)).toBe(id);
	});

	test.each<[string, number]>([
		['xxx"},"jsonrpc":"2.0","id":7}', 7],
		['xxx"},"id":7}', 7],
		['xxx"},"id":7,"jsonrpc":"2.0"}', 7],
		['xxx"} , "jsonrpc" : "2.0" , "id" : 7 } ', 7],
		['xxx"}}, "id": 12, "jsonrpc": "2.0"}\r', 12],
		['{"id":5}],"n":1},"jsonrpc":"2.0","id":9}', 9],
	])("reads it from the tail %s", (tail, id) => {
		expect(idOfTail(tail)).toBe(id);
	});

	test.each([
		['{"jsonrpc":"2.0","result":{"content":[{"type":"text","text":"xxx'],
		['{"result":{"id":5,"text":"xxx'],
		['{"jsonrpc":"2.0","result":{"id":5,"x":1'],
		['{"jsonrpc":"2.0","id":"a","result":{'],
		['{"jsonrpc":"2.0","id":7'],
		['{"jsonrpc":"2.0","id":1.5,"result":{'],
		['{"jsonrpc":"2.0","id":-7,"result":{'],
		['{"method":"notifications/message","params":{'],
		['{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{'],
		['{"id":7,"jsonrpc":"2.0","method":"sampling/createMessage","params":{'],
		["no JSON at all"],
	])("is not in the head %s", (head) => {
		expect(idOfHead(head)).toBeUndefined();
	});

	test.each([
		['xxx","id":5}}'],
		['xxx","id":5}]}}'],
		['xxx\\",\\"id\\":5}"}'],
		['xxx","id":"a"}'],
		['xxx"},"requestId":7}'],
		['xxx"},"id":7,"result":{}}'],
		[""],
	])("is not in the tail %s", (tail) => {
		expect(idOfTail(tail)).toBeUndefined();
	});

	const members = fc.constantFrom("id", "jsonrpc", "result", "a");
	const nested = fc.letrec<{ value: unknown }>((tie) => ({
		value: fc.oneof(
			{ maxDepth: 4, depthSize: "medium" },
			fc.constantFrom<unknown>(5, 55, "2.0", '{"id":5,', ',"id":5}', '"', "ä"),
			fc.constantFrom<unknown>({ id: 5 }, { id: 5, a: 1 }, { jsonrpc: "2.0", id: 5 }, { jsonrpc: "2.0", id: 5, a: 1 }),
			fc.array(tie("value"), { maxLength: 4 }),
			fc.dictionary(members, tie("value"), { maxKeys: 4, noNullPrototype: true }),
		),
	})).value;
	const results = fc.array(nested, { minLength: 1, maxLength: 6 }).map((items) => ({ items }));
	const ids = fc.integer({ min: 100, max: 2 ** 31 });
	const separators = fc.constantFrom<[string, string]>([",", ":"], [", ", ": "], [" ,", " :"]);

	/** One message as another language's JSON library may write it; only the separators at the top level matter here. */
	function serialise(entries: readonly [string, unknown][], [comma, colon]: [string, string]): string {
		return `{${entries.map(([name, value]) => `${JSON.stringify(name)}${colon}${JSON.stringify(value)}`).join(comma)}}`;
	}

	const version: [string, string] = ["jsonrpc", "2.0"];

	test.each([false, true])(
		"is found in every head of a response that begins with it, jsonrpc first: %s",
		(versionFirst) => {
			fc.assert(
				fc.property(results, ids, separators, (result, id, separator) => {
					const start: [string, unknown][] = versionFirst ? [version, ["id", id]] : [["id", id], version];
					const line = serialise([...start, ["result", result]], separator);
					const from = line.indexOf(String(id)) + String(id).length + separator[0].length;
					for (let end = from; end < line.length; end += 1) expect(idOfHead(line.slice(0, end))).toBe(id);
				}),
			);
		},
	);

	test.each([false, true])(
		"is found in every tail of a response that ends with it, jsonrpc last: %s",
		(versionLast) => {
			fc.assert(
				fc.property(results, ids, separators, (result, id, separator) => {
					const end: [string, unknown][] = versionLast ? [["id", id], version] : [version, ["id", id]];
					const line = serialise([["result", result], ...end], separator);
					const to = line.lastIndexOf('"id"') - separator[0].length;
					for (let start = 0; start <= to; start += 1) expect(idOfTail(line.slice(start))).toBe(id);
				}),
			);
		},
	);

	test("is never a nested one in a head, wherever that ends", () => {
		fc.assert(
			fc.property(results, ids, separators, (result, id, separator) => {
				const line = serialise([["result", result], version, ["id", id]], separator);
				for (let end = 0; end < line.length; end += 1) expect(idOfHead(line.slice(0, end))).toBeUndefined();
			}),
		);
	});

	test("is never a nested one in a tail, wherever that begins", () => {
		fc.assert(
			fc.property(results, ids, separators, (result, id, separator) => {
				const line = serialise([version, ["id", id], ["result", result]], separator);
				// The whole line is a head too, and that begins with the id.
				for (let start = 1; start < line.length; start += 1)
					expect([undefined, id]).toContain(idOfTail(line.slice(start)));
			}),
		);
	});
});
