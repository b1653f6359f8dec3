export function median(values) {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** What came out of the rounds of one thing: the middle one and how far the others are from it. */
export function summarise(values) {
	return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}
