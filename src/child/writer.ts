import type { Writable } from "node:stream";

/** Writes to a child's stdin in order, a message only when there is room for it. */
export type Writer = {
	/** Queues a text. `onFailure` is told when it provably did not arrive whole; its state is then "failed". */
	readonly write: (text: string, onFailure?: () => void) => PendingWrite;
	/** Takes back a text that has not been written yet; `false` when it is too late. */
	readonly withdraw: (write: PendingWrite) => boolean;
	/** Whether the child reads much more slowly than is written. */
	readonly isBackedUp: () => boolean;
};

export type PendingWrite = {
	readonly text: string;
	readonly onFailure: (() => void) | undefined;
	state: "queued" | "written" | "withdrawn" | "failed";
};

/** So many messages wait only where the child does not read. */
const mostQueued = 10_000;

/** Messages of one turn of the event loop share a system call, up to about this many characters of them. */
const batchLength = 16 * 1024;

export function createWriter(stdin: Writable): Writer {
	const backlog: PendingWrite[] = [];
	let collected = 0;
	let flushing = false;

	function fail(write: PendingWrite): void {
		write.state = "failed";
		write.onFailure?.();
	}

	/** One write at a time: when it fails, nothing else can be in doubt. */
	function flush(): void {
		if (flushing) return;
		collected = 0;
		const batch = nextBatch(backlog);
		if (batch.length === 0) return;
		flushing = true;
		let text = "";
		for (const write of batch) {
			write.state = "written";
			text += write.text;
		}
		stdin.write(text, (error) => {
			flushing = false;
			if (!error) {
				flush();
				return;
			}
			// EPIPE. What stands before the last message may have arrived; the last one, and what was never written, has not.
			const last = batch.at(-1);
			if (last) fail(last);
			for (const write of backlog.splice(0)) if (write.state === "queued") fail(write);
		});
	}

	stdin.on("error", () => {
		// Each write is told by its own callback.
	});

	return {
		write(text, onFailure) {
			const write: PendingWrite = { text, onFailure, state: "queued" };
			backlog.push(write);
			collected += text.length;
			// The server may begin with a full batch while the next one comes together.
			if (collected >= batchLength) flush();
			else if (backlog.length === 1) process.nextTick(flush);
			return write;
		},
		withdraw(write) {
			if (write.state !== "queued") return false;
			write.state = "withdrawn";
			return true;
		},
		isBackedUp: () => backlog.length > mostQueued,
	};
}

/** Takes what goes into the next write out of the backlog. */
function nextBatch(backlog: PendingWrite[]): PendingWrite[] {
	let length = 0;
	let end = 0;
	while (end < backlog.length && length < batchLength) {
		const write = backlog[end] as PendingWrite;
		if (write.state === "queued") length += write.text.length;
		end += 1;
	}
	return backlog.splice(0, end).filter(({ state }) => state === "queued");
}
