/**
 * Calls back after `ms` milliseconds in which this process was awake. Lambda freezes an environment between invocations,
 * and the clock goes on: a plain timer would be due at the thaw, before a child process had any time to react.
 * Does not keep the process alive. Returns a function that cancels it.
 */
export function startAwakeTimer(ms: number, onDue: () => void): () => void {
	const sliceMs = Math.max(1, Math.min(Math.ceil(ms / 4), 50));
	let left = ms;
	let last = performance.now();
	const timer = setInterval(() => {
		const now = performance.now();
		left -= Math.min(Math.max(now - last, 0), 2 * sliceMs);
		last = now;
		if (left > 0) return;
		clearInterval(timer);
		onDue();
	}, sliceMs);
	timer.unref();
	return () => clearInterval(timer);
}
