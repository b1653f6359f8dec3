/** Watches a child that writes more than can be of use. */
export type FloodGuard = {
	/** Must be called for each line that is of no use for a request. */
	readonly count: () => void;
	/** Must be asked for each noise: whether there is room this second to tell an observer of it. Counts it, too. */
	readonly admits: () => boolean;
	/** Must be called when the server has done something for a request. */
	readonly useful: () => void;
};

export type FloodOptions = {
	/** How many lines were left out in a second that is over. */
	readonly onLeftOut: (count: number) => void;
	/** The child writes without pause, and does nothing else. */
	readonly onFlood: () => void;
};

/** What an observer is told of one child in a second: a person reads no more, and a log costs by the line. */
const linesPerSecond = 500;

/** A child that has written this much and answered nothing, for this long, does nothing else. */
const floodLines = 20_000;
const floodMs = 5000;

export function createFloodGuard({ onLeftOut, onFlood }: FloodOptions): FloodGuard {
	let secondBegan = 0;
	let inSecond = 0;
	let leftOut = 0;
	let windowBegan: number | undefined;
	let useless = 0;

	function tellLeftOut(): void {
		const count = leftOut;
		leftOut = 0;
		if (count > 0) onLeftOut(count);
	}

	function forget(): void {
		useless = 0;
		windowBegan = undefined;
	}

	function count(now: number = performance.now()): void {
		windowBegan ??= now;
		useless += 1;
		if (now - windowBegan < floodMs) return;
		// Lines that come slowly are no flood, however long they come.
		const isFlood = useless >= floodLines;
		forget();
		if (isFlood) onFlood();
	}

	return {
		count,
		admits() {
			const now = performance.now();
			count(now);
			if (now - secondBegan >= 1000) {
				secondBegan = now;
				inSecond = 0;
				tellLeftOut();
			}
			inSecond += 1;
			if (inSecond <= linesPerSecond) return true;
			leftOut += 1;
			return false;
		},
		useful: forget,
	};
}
