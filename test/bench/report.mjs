import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { median, summarise } from "./statistics.mjs";
import { referenceFolder, referenceName, root } from "./subjects.mjs";

const versionIn = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;

function versionOf(folder) {
	try {
		return versionIn(folder);
	} catch {
		return undefined;
	}
}

export function describeMachine() {
	const cores = cpus();
	return {
		cpu: cores[0]?.model.trim() ?? "unknown",
		cores: cores.length,
		memoryGb: Math.round(totalmem() / 2 ** 30),
		platform: `${process.platform} ${process.arch}`,
		node: process.version,
		"mcp-stdio-lambda": versionIn(root),
		[referenceName]: versionOf(join(referenceFolder, "node_modules", referenceName)),
		"@modelcontextprotocol/server-everything": versionIn(
			join(root, "node_modules/@modelcontextprotocol/server-everything"),
		),
	};
}

/** One entry for each row of a measure: the value of every side, and what became of each goal. */
export function evaluate({ name, rows }, rounds) {
	const medians = rounds.map((round) =>
		Object.fromEntries(Object.entries(round).map(([side, samples]) => [side, mediansOf(samples)])),
	);
	return rows.map(({ title, metric, unit, floor = "raw", core = "core", goals }) => {
		const columns = { floor, core, reference: "reference" };
		const perRound = medians.map((sides) =>
			Object.fromEntries(Object.entries(columns).map(([column, side]) => [column, sides[side]?.[metric]])),
		);
		const values = Object.fromEntries(
			Object.keys(columns)
				.map((column) => [column, perRound.map((round) => round[column]).filter((value) => value !== undefined)])
				.filter(([, found]) => found.length > 0)
				.map(([column, found]) => [column, summarise(found)]),
		);
		return {
			measure: name,
			title,
			unit,
			values,
			goals: goals.map((goal) => judge(goal, perRound, medians)),
		};
	});
}

function judge({ wanted, figure, show, reached, atFloor }, perRound, medians) {
	const figures = summarise(perRound.map((round, index) => figure(round, medians[index])));
	const best = atFloor && median(perRound.map(atFloor));
	return {
		wanted,
		figure: figures,
		text: show(figures.median),
		reached: reached(figures.median),
		...(best !== undefined && !reached(best) ? { atFloor: best, remark: `(raw pipe: ${show(best)})` } : {}),
	};
}

/**
 * A line for each goal that was missed. Where the raw pipe itself would have missed it, the machine is at fault and not the
 * package.
 */
export function missedGoals(results) {
	return results.flatMap(({ title, goals }) =>
		goals
			.filter(({ reached, atFloor }) => !reached && atFloor === undefined)
			.map(({ text, wanted }) => `${title}: ${text}, to reach ${wanted}`),
	);
}

function mediansOf(samples) {
	return Object.fromEntries(
		Object.entries(samples)
			.filter(([, values]) => Array.isArray(values))
			.map(([metric, values]) => [metric, median(values)]),
	);
}

function showValue(value, unit) {
	if (!value) return "–";
	const { median: middle } = value;
	if (unit === "/s") return `${Math.round(middle).toLocaleString("en")} ${unit}`;
	return `${middle.toFixed(middle < 1 ? 3 : middle < 10 ? 2 : middle < 100 ? 1 : 0)} ${unit}`;
}

/** The results as a table, a line for each goal. */
export function formatTable(results) {
	const head = ["", "raw pipe", "this package", "reference", "result", "(rounds)", "to reach", ""];
	const lines = results.flatMap(({ title, unit, values, goals }) => {
		const cells = [
			title,
			showValue(values.floor, unit),
			showValue(values.core, unit),
			showValue(values.reference, unit),
		];
		if (goals.length === 0) return [[...cells, "", "", "", ""]];
		return goals.map(({ wanted, figure, text, reached, remark = "" }, index) => [
			...(index === 0 ? cells : ["", "", "", ""]),
			text,
			`${showBound(figure.min)}–${showBound(figure.max)}`,
			wanted,
			`${reached ? "reached" : "NOT REACHED"} ${remark}`,
		]);
	});
	const table = [head, ...lines];
	const widths = head.map((_, column) => Math.max(...table.map((line) => line[column].length)));
	const rule = widths.map((width) => "─".repeat(width));
	return [head, rule, ...lines]
		.map((line) =>
			line
				.map((cell, column) => pad(cell, widths[column], column))
				.join("  ")
				.trimEnd(),
		)
		.join("\n");
}

const showBound = (value) => (value < 100 ? value.toFixed(value < 10 ? 2 : 1) : Math.round(value).toLocaleString("en"));

const pad = (cell, width, column) => (column >= 1 && column <= 5 ? cell.padStart(width) : cell.padEnd(width));
