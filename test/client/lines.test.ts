import fc from "fast-check";
import { expect, test } from "vitest";
import { readLines } from "../../src/client/lines.ts";

async function linesOf(...pieces: readonly Uint8Array[]): Promise<string[]> {
	async function* stream() {
		yield* pieces;
	}
	const lines: string[] = [];
	for await (const line of readLines(stream())) lines.push(line);
	return lines;
}

test("gives the same lines wherever the bytes are cut", async () => {
	const bytes = Buffer.from('{"a":"žluťoučký 🐎"}\n{"b":"\u2028"}\r\n\n{"c":1}');
	const lines = ['{"a":"žluťoučký 🐎"}', '{"b":"\u2028"}', '{"c":1}'];
	for (let first = 0; first <= bytes.length; first += 1) {
		for (let second = first; second <= bytes.length; second += 1) {
			const pieces = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
			expect(await linesOf(...pieces)).toStrictEqual(lines);
		}
	}
});

test("gives back any messages, cut anywhere", async () => {
	const messages = fc.array(fc.string({ unit: "grapheme" }).map((text) => ({ text })));
	await fc.assert(
		fc.asyncProperty(messages, fc.array(fc.nat(200)), async (values, cuts) => {
			const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(""));
			const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
			const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
			expect((await linesOf(...pieces)).map((line) => JSON.parse(line))).toStrictEqual(values);
		}),
	);
});

test.each([[[]], [[""]], [["\n"]], [[" \r\n", "\t\n\n"]]])("gives nothing of %j", async (pieces) => {
	expect(await linesOf(...pieces.map((piece) => Buffer.from(piece)))).toStrictEqual([]);
});

test("gives a line as soon as it is complete", async () => {
	async function* endless() {
		yield Buffer.from('{"a":1}\n{"b"');
		await new Promise(() => {});
	}
	const lines = readLines(endless());
	expect(await lines.next()).toStrictEqual({ done: false, value: '{"a":1}' });
});
