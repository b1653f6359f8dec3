const endings = new Set<() => void>();
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

// Shared by all copies of this package in a process, so that none takes another's listener for one of the host's.
const shared = globalThis as { [key: symbol]: Set<unknown> | undefined };
const key = Symbol.for("mcp-stdio-lambda.signalListeners");
shared[key] ??= new Set();
const ownListeners: Set<unknown> = shared[key];
ownListeners.add(endAndRaise);

/**
 * Calls `end`, which must do its work synchronously, when this process exits or is asked to by a signal that nobody else
 * listens to; not when it is killed with SIGKILL. In a worker thread signals are never heard, only its exit. The function
 * it returns takes that back.
 */
export function guardHostExit(end: () => void): () => void {
	if (endings.size === 0) {
		process.on("exit", endAll);
		// First in line: a listener that the host has added with `once` is gone from the list when later ones are called.
		for (const signal of signals) process.prependListener(signal, endAndRaise);
	}
	endings.add(end);
	return () => {
		endings.delete(end);
		if (endings.size === 0) stopGuarding();
	};
}

function stopGuarding(): void {
	process.off("exit", endAll);
	for (const signal of signals) process.off(signal, endAndRaise);
}

function endAll(): void {
	for (const end of endings) {
		try {
			end();
		} catch {
			// The others must still be ended.
		}
	}
}

type Emitter = { readonly count?: unknown } | undefined;

/**
 * How many listeners on each signal end the process only if there are no others than they: those of signal-exit, in any of
 * its versions (https://github.com/tapjs/signal-exit), which waits for the others as this module waits for it.
 */
function countOfDeferring(): number {
	const version3 = (process as { __signal_exit_emitter__?: Emitter }).__signal_exit_emitter__;
	const version4 = (globalThis as { [key: symbol]: Emitter })[Symbol.for("signal-exit emitter")];
	return [version3, version4]
		.map((emitter) => (typeof emitter?.count === "number" ? emitter.count : 0))
		.reduce((sum, count) => sum + count);
}

function endAndRaise(signal: NodeJS.Signals): void {
	// A listener of the host decides whether this process ends; if it does, it gets to "exit".
	const others = process.listeners(signal).filter((listener) => !ownListeners.has(listener));
	if (others.length > countOfDeferring()) return;
	endAll();
	stopGuarding();
	process.kill(process.pid, signal);
}
