import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createLineReader } from "../src/lines.ts";

afterEach(() => void vi.restoreAllMocks());

const unlimited = 2 ** 30;

/** What a reader with that cap reports of a stream that comes in these pieces, in order. */
function read(pieces: readonly Buffer[], maxLineBytes = unlimited, ended = true) {
	const events: { readonly kind: "line" | "overlong" | "overlong end"; readonly bytes: Buffer }[] = [];
	const reader = createLineReader(maxLineBytes, {
		onLine: (bytes) => events.push({ kind: "line", bytes }),
		onOverlongLine: (bytes) => events.push({ kind: "overlong", bytes }),
		onOverlongLineEnd: (bytes) => events.push({ kind: "overlong end", bytes }),
	});
	for (const piece of pieces) reader.push(piece);
	if (ended) reader.end();
	return events;
}

const texts = (events: ReturnType<typeof read>) => events.map(({ kind, bytes }) => [kind, bytes.toString("utf8")]);
const lines = (...expected: string[]) => expected.map((line) => ["line", line]);

/** The pieces of a stream that is cut at these places, wherever they fall in a character. */
function cut(stream: Buffer, places: readonly number[]): Buffer[] {
	const ordered = [0, ...places.map((place) => place % (stream.length + 1)).sort((a, b) => a - b), stream.length];
	return ordered.slice(1).map((end, index) => stream.subarray(ordered[index], end));
}

const messages = fc.array(
	fc.oneof(
		fc.json(),
		fc.string({ unit: "binary" }).map((text) => text.replaceAll("\n", "\r")),
		fc.constantFrom("", " ", "\r", "日本語", "👩‍👩‍👧‍👦", "\u2028", "\0", "\ufeff{}"),
	),
	{ maxLength: 8 },
);
const places = fc.array(fc.nat(), { maxLength: 30 });

describe("createLineReader", () => {
	test("gives the same lines wherever the stream is cut", () => {
		fc.assert(
			fc.property(messages, fc.constantFrom("\n", "\r\n"), fc.boolean(), places, (sent, newline, closed, at) => {
				const stream = Buffer.from(sent.join(newline) + (closed ? newline : ""));
				const expected = stream
					.toString()
					.split("\n")
					.filter((line) => line !== "");
				expect(texts(read(cut(stream, at)))).toStrictEqual(lines(...expected));
			}),
			{ numRuns: 1000 },
		);
	});

	test("gives the same lines byte by byte", () => {
		const stream = Buffer.from('{"a":"日本語 👩‍👩‍👧‍👦"}\r\n\n{"b":"ä"}\nrest');
		expect(texts(read(Array.from(stream, (byte) => Buffer.of(byte))))).toStrictEqual(
			lines('{"a":"日本語 👩‍👩‍👧‍👦"}\r', '{"b":"ä"}', "rest"),
		);
	});

	test("passes bytes on that are no text", () => {
		fc.assert(
			fc.property(fc.uint8Array(), places, (bytes, at) => {
				const stream = Buffer.from(bytes);
				const heard = read(cut(stream, at)).map(({ bytes }) => bytes.toString("latin1"));
				expect(heard.join("")).toBe(stream.toString("latin1").replaceAll("\n", ""));
			}),
		);
	});

	test("tells a line as soon as its newline is there, and not before", () => {
		expect(texts(read([Buffer.from('{"a":1}')], unlimited, false))).toStrictEqual([]);
		expect(texts(read([Buffer.from('{"a":1}'), Buffer.from("\n{")], unlimited, false))).toStrictEqual(lines('{"a":1}'));
	});

	test.each<[string, string[], string[]]>([
		["what has come since the last newline", ["a\nb", "c"], ["a", "bc"]],
		["nothing after a newline", ["a\n"], ["a"]],
		["nothing of an empty stream", [], []],
		["nothing of newlines", ["\n", "\n\n"], []],
	])("end() gives %s", (_, pieces, expected) => {
		expect(texts(read(pieces.map((piece) => Buffer.from(piece))))).toStrictEqual(lines(...expected));
	});

	test("end() gives nothing twice", () => {
		const onLine = vi.fn();
		const reader = createLineReader(unlimited, { onLine, onOverlongLine: vi.fn() });
		reader.push(Buffer.from("a"));
		reader.end();
		reader.end();
		expect(onLine).toHaveBeenCalledOnce();
	});

	test("gives lines that stay as they are", () => {
		const [first] = read([Buffer.from("fir"), Buffer.from("st\nsecond\n")]);
		expect(first?.bytes.toString()).toBe("first");
	});

	test.each([
		["at the end of many chunks", 50_000],
		["in a few", 3],
	])("searches each byte of a 5 MB line once and copies it once, %s", (_, chunks) => {
		const size = 5_000_000;
		const piece = Buffer.alloc(Math.ceil(size / chunks), "x");
		const concat = vi.spyOn(Buffer, "concat");
		const copied = [vi.spyOn(Buffer.prototype, "copy"), vi.spyOn(Uint8Array.prototype, "set")];
		const decoded = vi.spyOn(Buffer.prototype, "toString");
		let searched = 0;
		const { indexOf } = Buffer.prototype;
		vi.spyOn(Buffer.prototype, "indexOf").mockImplementation(function (this: Buffer, ...search: unknown[]) {
			searched += this.length - ((search[1] as number | undefined) ?? 0);
			return Reflect.apply(indexOf, this, search);
		});
		let length = 0;
		const reader = createLineReader(unlimited, {
			onLine: (line) => {
				length = line.length;
			},
			onOverlongLine: vi.fn(),
		});
		for (let sent = 0; sent < chunks; sent += 1) reader.push(piece);
		reader.push(Buffer.from("\n"));
		expect(length).toBe(piece.length * chunks);
		expect(searched).toBeLessThan(length + 100);
		expect(concat.mock.results.reduce((sum, { value }) => sum + (value as Buffer).length, 0)).toBeLessThanOrEqual(
			length,
		);
		for (const spy of [...copied, decoded]) expect(spy).not.toHaveBeenCalled();
	});

	test("copies nothing of a line that comes whole", () => {
		const concat = vi.spyOn(Buffer, "concat");
		const chunk = Buffer.from("first\n\nsecond\n");
		const [first, second] = read([chunk]);
		expect([first?.bytes.buffer, second?.bytes.buffer]).toStrictEqual([chunk.buffer, chunk.buffer]);
		expect(concat).not.toHaveBeenCalled();
	});
});

describe("a line over the cap", () => {
	test("begins one byte beyond it, the newline not counted", () => {
		expect(texts(read([Buffer.from("12345\n")], 5))).toStrictEqual(lines("12345"));
		expect(texts(read([Buffer.from("123456\n")], 5))).toStrictEqual([
			["overlong", "123456"],
			["overlong end", "123456"],
		]);
	});

	test("is told as soon as it is known, long before its end", () => {
		expect(texts(read([Buffer.from("123"), Buffer.from("456")], 5, false))).toStrictEqual([["overlong", "123456"]]);
	});

	test("is reported once, with its first and its last 256 bytes", () => {
		const line = Buffer.from(Array.from({ length: 2000 }, (_, index) => String(index)).join(" "));
		const pieces = cut(line, [400, 401, 1000, 1003, 5000, line.length - 100, line.length - 3]);
		expect(texts(read([...pieces, Buffer.from("\n")], 1000))).toStrictEqual([
			["overlong", line.toString("utf8", 0, 256)],
			["overlong end", line.toString("utf8", line.length - 256)],
		]);
	});

	test("leaves the lines around it whole", () => {
		const stream = Buffer.from(`before\n${"x".repeat(600)}\nafter\n${"y".repeat(700)}\n\nlast`);
		const kinds = read(cut(stream, [3, 100, 300, 610, 900]), 500).map(({ kind, bytes }) =>
			kind === "line" ? bytes.toString() : kind,
		);
		expect(kinds).toStrictEqual(["before", "overlong", "overlong end", "after", "overlong", "overlong end", "last"]);
	});

	test("ends with the stream when no newline comes", () => {
		expect(texts(read([Buffer.from("123456"), Buffer.from("789")], 5))).toStrictEqual([
			["overlong", "123456"],
			["overlong end", "123456789"],
		]);
	});

	test("may have nobody who listens to its end", () => {
		const onLine = vi.fn();
		const reader = createLineReader(2, { onLine, onOverlongLine: vi.fn() });
		reader.push(Buffer.from("123\nab\n"));
		expect(onLine.mock.calls).toStrictEqual([[Buffer.from("ab")]]);
	});

	test("is told from the others in any stream, wherever that is cut", () => {
		const stream = fc
			.array(fc.tuple(fc.nat(700), fc.integer({ min: 97, max: 122 })), { maxLength: 6 })
			.map((parts) =>
				Buffer.from(parts.map(([length, letter]) => String.fromCharCode(letter).repeat(length)).join("\n")),
			);
		fc.assert(
			fc.property(stream, fc.integer({ min: 256, max: 600 }), places, (bytes, cap, at) => {
				const expected = bytes
					.toString()
					.split("\n")
					.filter((line) => line !== "")
					.flatMap((line) =>
						line.length <= cap
							? lines(line)
							: [
									["overlong", line.slice(0, 256)],
									["overlong end", line.slice(-256)],
								],
					);
				expect(texts(read(cut(bytes, at), cap))).toStrictEqual(expected);
			}),
			{ numRuns: 500 },
		);
	});

	test("is not kept in memory: each chunk of it costs at most 512 bytes of copying", () => {
		const concat = vi.spyOn(Buffer, "concat");
		const piece = Buffer.alloc(1000, "x");
		const reader = createLineReader(10_000, { onLine: vi.fn(), onOverlongLine: vi.fn() });
		for (let sent = 0; sent < 50_000; sent += 1) reader.push(piece);
		reader.end();
		const copied = concat.mock.results.reduce((sum, { value }) => sum + (value as Buffer).length, 0);
		expect(copied).toBeLessThan(50_000 * 512);
		const given = concat.mock.calls.flatMap(([parts]) => parts).filter((part) => part.length > 256);
		expect(given).toHaveLength(0);
	});
});
