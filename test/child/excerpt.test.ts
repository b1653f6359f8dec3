import { expect, test } from "vitest";
import { createExcerpt } from "../../src/child/excerpt.ts";

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}`);

function excerptOf(lines: readonly string[]): string[] {
	const excerpt = createExcerpt();
	for (const line of lines) excerpt.add(Buffer.from(line));
	return excerpt.lines();
}

test.each([0, 1, 10, 11, 30])("%i lines are kept as they are", (count) => {
	expect(excerptOf(numbered(count))).toEqual(numbered(count));
});

test("of more lines the first ten and the last twenty are kept, and the others are counted", () => {
	const lines = numbered(500);
	expect(excerptOf(lines)).toEqual([...lines.slice(0, 10), "… 470 more lines …", ...lines.slice(-20)]);
	expect(excerptOf(numbered(31))[10]).toBe("… 1 more line …");
});

test("a long line is cut, and what a line is part of is not kept", () => {
	const chunk = Buffer.alloc(1024 * 1024, "x");
	const excerpt = createExcerpt();
	excerpt.add(chunk);
	chunk.fill("y");
	expect(excerpt.lines()).toEqual(["x".repeat(4096)]);
});
