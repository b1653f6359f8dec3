import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canBeWritten, parseJson } from "../src/json.ts";

const written = (text: string) => JSON.stringify(parseJson(text));

describe("what is parsed and written again", () => {
	test.each([
		"1915883588174806058",
		"-1915883588174806058",
		"1e400",
		"-1E400",
		"1.0",
		"-0",
		"-0.0",
		"0.1000",
		"1E5",
		"1e5",
		"1e+5",
		"2.50e-3",
		"0.0000001",
		"123456789012.1234567",
		"0.30000000000000004",
		"9007199254740993",
		"100000000000000000000000",
		"3.14159265358979323846",
		"0",
		"12",
		"1.5",
	])("has the digits of %s", (digits) => {
		for (const text of [`{"a":${digits}}`, `[${digits},"x"]`, `{"a":[{"b":[1,${digits}]}],"c":${digits}}`]) {
			expect(written(text)).toBe(text);
		}
		expect(written(`{"a" : ${digits} , "b":[ ${digits} ]}`)).toBe(`{"a":${digits},"b":[${digits}]}`);
	});

	test("has the digits of any numbers, wherever they stand", () => {
		const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,25})(\.\d{1,25})?([eE][+-]?\d{1,3})?$/);
		const text = fc.letrec<{ value: string }>((tie) => ({
			value: fc.oneof(
				{ depthSize: "small" },
				digits,
				fc.string().map((string) => JSON.stringify(string)),
				fc.constantFrom("true", "null"),
				fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items}]`),
				fc
					.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,3}$/), tie("value")), {
						selector: ([key]) => key,
						maxLength: 4,
					})
					.map((members) => `{${members.map(([key, value]) => `"${key}":${value}`)}}`),
			),
		})).value;
		fc.assert(
			fc.property(text, (value) => {
				const message = `{"result":${value}}`;
				expect(written(message)).toBe(message);
				expect(parseJson(message)).toEqual(JSON.parse(message));
			}),
		);
	});

	test("is ordinary to a program", () => {
		const value = parseJson('{"a":1.0,"b":1915883588174806058,"c":[2.0]}') as { a: number; b: number; c: number[] };
		expect(value.a + 1).toBe(2);
		expect(value.b).toBe(1915883588174806000);
		expect(Object.keys(value)).toEqual(["a", "b", "c"]);
		expect(value).toEqual({ a: 1, b: 1915883588174806000, c: [2] });
		expect(structuredClone({ ...value })).toEqual({ a: 1, b: 1915883588174806000, c: [2] });
	});

	test("follows what a program changes", () => {
		const value = parseJson('{"a":1.0,"b":2.0,"c":[1.0,2.0,3.0]}') as {
			a: number;
			b?: number;
			c: number[];
			d?: number;
		};
		value.a = 7;
		delete value.b;
		value.c.pop();
		value.c[0] = 9;
		value.d = 4;
		expect(JSON.stringify(value)).toBe('{"a":7,"c":[9,2.0],"d":4}');
		expect(JSON.stringify({ ...value, x: value.c })).toBe('{"a":7,"c":[9,2.0],"d":4,"x":[9,2.0]}');
		expect(JSON.stringify(Object.freeze(parseJson('{"a":1.0}')))).toBe('{"a":1.0}');
	});

	test("keeps members with the names of methods", () => {
		expect(written('{"toJSON":"mine","a":1.0}')).toBe('{"toJSON":"mine","a":1}');
		expect(written('{"__proto__":1.0,"constructor":2.0}')).toBe('{"__proto__":1.0,"constructor":2.0}');
	});

	test("keeps what looks like a number in a string", () => {
		const text = '{"text":"{\\"a\\": 1.0, \\"b\\": [1e400]}"}';
		expect(written(text)).toBe(text);
	});
});

test("what is not JSON throws a SyntaxError", () => {
	for (const text of [
		"",
		"{",
		"[1.0",
		'{"a":NaN}',
		"01",
		'{"a":1.0, 2.0 : 3}',
		"[1.0 2.0]",
		"[01.0]",
		"[1.0.0]",
		"[-]",
		"[1.]",
		"[+1.0]",
		"{1.0}",
	])
		expect(() => parseJson(text)).toThrow(SyntaxError);
});

describe("nesting", () => {
	const nested = (depth: number, inner = "1.0") => `{"a":${"[".repeat(depth)}${inner}${"]".repeat(depth)}}`;

	test.each([
		[1, true],
		[999, true],
		[3500, true],
		[20_000, false],
		[500_000, false],
	])("of %i levels can be written: %s", (depth, possible) => {
		const text = nested(depth);
		expect(canBeWritten(parseJson(text), text)).toBe(possible);
		expect(canBeWritten(parseJson(text), Buffer.from(text))).toBe(possible);
	});

	test("is told from many values side by side, and from brackets in strings", () => {
		const wide = `{"a":[${"[],".repeat(100_000)}{}]}`;
		expect(canBeWritten(parseJson(wide), wide)).toBe(true);
		const text = JSON.stringify({ text: "[".repeat(100_000) });
		expect(canBeWritten(parseJson(text), text)).toBe(true);
	});
});
