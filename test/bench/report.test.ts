import { expect, test } from "vitest";

type Side = Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
type Report = {
	evaluate(measure: object, rounds: readonly Side[]): readonly object[];
	missedGoals(results: readonly object[]): readonly string[];
	formatTable(results: readonly object[]): string;
};
const report = "./report.mjs";
const { evaluate, missedGoals, formatTable } = (await import(report)) as Report;

type Round = Readonly<Record<"floor" | "core", number>>;

const measure = (limit: number, isMachineToBlame = false) => ({
	name: "warm",
	rows: [
		{
			title: "warm request",
			metric: "ms",
			unit: "ms",
			goals: [
				{
					wanted: `≤ ${limit}× raw`,
					figure: ({ core, floor }: Round) => core / floor,
					show: (ratio: number) => `${ratio.toFixed(2)}× raw`,
					reached: (ratio: number) => ratio <= limit,
					...(isMachineToBlame && { atFloor: () => limit + 1 }),
				},
			],
		},
	],
});
/** What the pipe and the package took in each round. */
const rounds = (...pairs: readonly (readonly [number, number])[]): Side[] =>
	pairs.map(([raw, core]) => ({ raw: { ms: [raw] }, core: { ms: [core] } }));

test("a ratio that is kept is no finding", () => {
	expect(missedGoals(evaluate(measure(1.5), rounds([1, 1.4], [2, 2.8], [1, 9])))).toEqual([]);
});

test("a ratio that is missed in the median of the rounds is named, with what was measured", () => {
	const results = evaluate(measure(1.5), rounds([1, 1.6], [2, 3.2], [1, 1]));
	expect(missedGoals(results)).toEqual(["warm request: 1.60× raw, to reach ≤ 1.5× raw"]);
	expect(formatTable(results)).toContain("NOT REACHED");
});

test("a goal that the raw pipe itself misses is the machine's", () => {
	expect(missedGoals(evaluate(measure(1.5, true), rounds([1, 1.6])))).toEqual([]);
});
