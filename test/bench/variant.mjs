import { setTimeout as delay } from "node:timers/promises";

/** Runs the side of a measure that the command line names, and prints what it measured as one line of JSON. */
export async function runVariant(sides) {
	const samples = await sides[process.argv[2]]();
	process.stdout.write(`${JSON.stringify(samples)}\n`);
}

/** Milliseconds of each of `count` runs, one after the other; `between` is awaited off the clock. */
export async function timeEach(count, run, between = () => {}) {
	const samples = [];
	for (let index = 1; index <= count; index += 1) {
		const startedAt = performance.now();
		await run(index);
		samples.push(performance.now() - startedAt);
		await between(index);
	}
	return samples;
}

/** An observer that counts, so that a variant can wait for what happens in the background. */
export function createCounter() {
	const counts = { ready: 0, exit: 0 };
	return {
		observer: {
			ready: () => {
				counts.ready += 1;
			},
			exit: () => {
				counts.exit += 1;
			},
			failure: ({ error }) => console.error(error),
		},
		async until(kind, count) {
			while (counts[kind] < count) await delay(5);
		},
	};
}

export const residentMb = () => process.memoryUsage.rss() / 2 ** 20;
