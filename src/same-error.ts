/**
 * Makes an error that says more about the same failure: with the stack of the first, and none of its own, so that an uncaught
 * one does not open with a line of this package.
 */
export function sameError<T extends Error>(original: T, make: () => T): T {
	const limit = Error.stackTraceLimit;
	Error.stackTraceLimit = 0;
	try {
		const same = make();
		const frames = original.stack?.split("\n").filter((line) => /^ {4}at /.test(line)) ?? [];
		same.stack = [`${same.name}: ${same.message}`, ...frames].join("\n");
		return same;
	} finally {
		Error.stackTraceLimit = limit;
	}
}
