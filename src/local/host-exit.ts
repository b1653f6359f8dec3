const endings = new Set<() => void>();
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Calls `end`, which must do its work synchronously, when this process exits or is asked to by a signal that nobody else
 * listens to; not when it is killed with SIGKILL. The function it returns takes that back.
 */
export function guardHostExit(end: () => void): () => void {
	if (endings.size === 0) {
		process.on("exit", endAll);
		for (const signal of signals) process.on(signal, endAndRaise);
	}
	endings.add(end);
	return () => {
		endings.delete(end);
		if (endings.size > 0) return;
		process.off("exit", endAll);
		for (const signal of signals) process.off(signal, endAndRaise);
	};
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

function endAndRaise(signal: NodeJS.Signals): void {
	// Another listener decides whether this process ends; if it does, it gets to "exit".
	if (process.listenerCount(signal) > 1) return;
	endAll();
	process.off(signal, endAndRaise);
	process.kill(process.pid, signal);
}
