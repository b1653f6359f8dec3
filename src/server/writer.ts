import type { Writable } from "node:stream";

/** Writes to a child's stdin in order, a message only when there is room for it. */
export type Writer = {
	/** Queues a text. `onFailure` is told when it provably did not arrive whole. */
	readonly write: (text: string, onFailure: (error: Error) => void) => PendingWrite;
	/** Takes back a text that has not been written yet; `false` when it is too late. */
	readonly withdraw: (write: PendingWrite) => boolean;
};

export type PendingWrite = {
	readonly text: string;
	readonly onFailure: (error: Error) => void;
	state: "queued" | "written" | "withdrawn";
};

export function createWriter(stdin: Writable): Writer {
	const backlog: PendingWrite[] = [];
	const flush = (): void => {
		while (!stdin.writableNeedDrain) {
			const next = backlog.shift();
			if (!next) return;
			if (next.state !== "queued") continue;
			next.state = "written";
			stdin.write(next.text, (error) => {
				if (error) next.onFailure(error);
			});
		}
	};
	stdin.on("drain", flush);
	stdin.on("error", () => {
		// EPIPE: each write that did not arrive is told by its own callback.
		for (const write of backlog.splice(0)) {
			if (write.state === "queued") write.onFailure(new Error("the pipe is closed"));
		}
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
