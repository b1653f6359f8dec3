import type { Writable } from "node:stream";

/** Writes to a child's stdin in order, a message only when there is room for it. */
export type Writer = {
	/** Queues a text. `onFailure` is told when it provably did not arrive whole; its state is then "failed". */
	readonly write: (text: string, onFailure?: () => void) => PendingWrite;
	/** Takes back a text that has not been written yet; `false` when it is too late. */
	readonly withdraw: (write: PendingWrite) => boolean;
};

export type PendingWrite = {
	readonly text: string;
	readonly onFailure: (() => void) | undefined;
	state: "queued" | "written" | "withdrawn" | "failed";
};

export function createWriter(stdin: Writable): Writer {
	const backlog: PendingWrite[] = [];

	function fail(write: PendingWrite): void {
		write.state = "failed";
		write.onFailure?.();
	}

	function flush(): void {
		while (!stdin.writableNeedDrain) {
			const next = backlog.shift();
			if (!next) return;
			if (next.state !== "queued") continue;
			next.state = "written";
			stdin.write(next.text, (error) => {
				if (error) fail(next);
			});
		}
	}

	stdin.on("drain", flush);
	stdin.on("error", () => {
		// EPIPE: what was written is told by its own callback, what was not never will be.
		for (const write of backlog.splice(0)) if (write.state === "queued") fail(write);
	});

	return {
		write(text, onFailure) {
			const write: PendingWrite = { text, onFailure, state: "queued" };
			backlog.push(write);
			flush();
			return write;
		},
		withdraw(write) {
			if (write.state !== "queued") return false;
			write.state = "withdrawn";
			return true;
		},
	};
}
