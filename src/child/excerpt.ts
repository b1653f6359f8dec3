/** The beginning and the end of what a program wrote, within bounds. */
export type Excerpt = {
	readonly add: (line: Buffer) => void;
	/** The lines that were kept, oldest first; where lines are missing, one line says how many. */
	readonly lines: () => string[];
};

const firstLines = 10;
const lastLines = 20;

/** A line is kept up to this length: an error that is worth reading fits, and 30 of them fit into a log event. */
const longestLineBytes = 4096;

/** Keeps the first ten lines and the last twenty: an error may stand in front of its usage, or behind a long start. */
export function createExcerpt(): Excerpt {
	const first: Buffer[] = [];
	const last: Buffer[] = [];
	let missing = 0;

	return {
		add(line) {
			// A copy: the line is part of a chunk that would be kept as a whole.
			const kept = Buffer.from(line.subarray(0, longestLineBytes));
			if (first.length < firstLines) {
				first.push(kept);
				return;
			}
			if (last.push(kept) <= lastLines) return;
			last.shift();
			missing += 1;
		},
		lines() {
			const [head, tail] = [first, last].map((lines) => lines.map((line) => line.toString("utf8").trimEnd()));
			const between = missing === 0 ? [] : [`… ${missing} more ${missing === 1 ? "line" : "lines"} …`];
			return [...(head ?? []), ...between, ...(tail ?? [])];
		},
	};
}
