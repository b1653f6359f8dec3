// Measures the built package against the raw pipe and against the reference, side by side in one run. See README.md,
// "Numbers". A figure that was not reached is a finding, not a failure: the exit code tells of it with --check only.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { drawFigure } from "./figure.ts";
import { measures } from "./measures.mjs";
import { endVariant, runSide } from "./process.mjs";
import { installReference } from "./reference.mjs";
import { describeMachine, evaluate, formatTable, missedGoals } from "./report.mjs";
import { coreFile, workFolder } from "./subjects.mjs";

const { values: options } = parseArgs({
	options: {
		rounds: { type: "string", default: "5" },
		only: { type: "string", multiple: true },
		/** Fail when a ratio is not reached. */
		check: { type: "boolean", default: false },
		/** Where to draw the latencies: `docs/latency.svg`. */
		figure: { type: "string" },
	},
});
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1)
	throw new Error(`--rounds must be a positive integer, not ${options.rounds}`);
const names = measures.map(({ name }) => name);
const unknown = options.only?.find((name) => !names.includes(name));
if (unknown) throw new Error(`--only must be one of ${names.join(", ")}, not ${unknown}`);
if (!existsSync(coreFile)) throw new Error(`${coreFile} is missing; run npm run build`);

const selected = measures.filter(({ name }) => !options.only || options.only.includes(name));
if (selected.some(({ sides }) => sides.includes("reference"))) installReference();

for (const signal of ["SIGINT", "SIGTERM"]) {
	process.once(signal, () => {
		endVariant("SIGTERM");
		process.kill(process.pid, signal);
	});
}

/** Every side in a fresh process, in the opposite order the next time. */
async function runRound({ name, sides, perRound = 1 }, round) {
	const samples = {};
	for (let turn = 0; turn < perRound; turn += 1) {
		const order = (round * perRound + turn) % 2 === 0 ? sides : sides.toReversed();
		for (const side of order) {
			for (const [metric, values] of Object.entries(await runSide(name, side))) {
				samples[side] ??= {};
				samples[side][metric] = [samples[side][metric] ?? [], values].flat();
			}
		}
	}
	return samples;
}

const machine = describeMachine();
const startedAt = performance.now();
const samples = new Map(selected.map(({ name }) => [name, []]));
for (let round = 0; round < rounds; round += 1) {
	for (const measure of selected) {
		if (round >= (measure.rounds ?? rounds)) continue;
		console.error(`round ${round + 1} of ${rounds}: ${measure.name}`);
		samples.get(measure.name).push(await runRound(measure, round));
	}
}

const results = selected.flatMap((measure) => evaluate(measure, samples.get(measure.name)));
const seconds = Math.round((performance.now() - startedAt) / 1000);
for (const [name, value] of Object.entries(machine)) console.log(`${name}: ${value}`);
console.log(`rounds: ${rounds}, ${seconds} s\n`);
console.log(formatTable(results));

const file = join(workFolder, "results.json");
mkdirSync(workFolder, { recursive: true });
const report = {
	date: new Date().toISOString(),
	machine,
	rounds,
	seconds,
	results,
	samples: Object.fromEntries(samples),
};
writeFileSync(file, `${JSON.stringify(report, null, "\t")}\n`);
console.log(`\n${file}`);

if (options.figure !== undefined) {
	const figure = drawFigure(results, machine, report.date);
	if (!figure) throw new Error("The figure needs the measures first-answer, isolated-fresh, isolated-standby and warm");
	writeFileSync(options.figure, figure);
	console.log(options.figure);
}

if (options.check) {
	const missed = missedGoals(results);
	for (const line of missed) console.error(`missed: ${line}`);
	if (missed.length > 0) process.exitCode = 1;
}
