import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { drawFigure } from "../bench/figure.ts";
import { root } from "./snippets.ts";

const machine = { cores: 2, cpu: "Some CPU", node: "v24.0.0" };
const value = (median: number) => ({ median, min: median, max: median });
const results = [
	{ measure: "warm", values: { floor: value(0.05), core: value(0.1), reference: value(500) } },
	{ measure: "isolated-standby", values: { floor: value(4), core: value(5) } },
	{ measure: "isolated-fresh", values: { floor: value(200), core: value(250), reference: value(550) } },
	{ measure: "first-answer", values: { floor: value(300), core: value(310), reference: value(900) } },
];

/** Where a row's point stands. */
function pointsOf(svg: string, name: string): number[] {
	return [...svg.matchAll(new RegExp(`<circle class="${name}" cx="([\\d.]+)" cy="(?!26")`, "g"))].map(([, x]) =>
		Number(x),
	);
}

describe("the figure of the latencies", () => {
	const svg = drawFigure(results, machine, "2026-11-24T00:00:00Z") ?? "";

	test("has a line for each way to serve a request, with its figures", () => {
		for (const text of ["cold", "isolated", "standby", "warm", "0.10 ms", "500 ms", "5,000× faster", "110× faster"]) {
			expect(svg).toContain(text);
		}
	});

	test("is logarithmic: a tenth is as far from one as one is from ten", () => {
		const [cold = 0, isolated = 0, standby = 0, warm = 0] = pointsOf(svg, "core");
		expect((isolated - standby) / Math.log10(250 / 5)).toBeCloseTo((standby - warm) / Math.log10(5 / 0.1), 0);
		expect(cold).toBeGreaterThan(isolated);
		for (const reference of pointsOf(svg, "reference")) expect(reference).toBeGreaterThan(cold);
	});

	test("is readable in light and dark", () => {
		expect(svg).toContain("prefers-color-scheme: dark");
	});

	test("is not drawn when one of its measures is missing", () => {
		expect(drawFigure(results.slice(1), machine, "2026-11-24")).toBeUndefined();
	});

	test("in the documentation is one that the bench drew, and the README shows it", () => {
		const drawn = readFileSync(`${root}docs/latency.svg`, "utf8");
		expect(pointsOf(drawn, "core")).toHaveLength(4);
		expect(readFileSync(`${root}README.md`, "utf8")).toContain("docs/latency.svg");
	});
});
