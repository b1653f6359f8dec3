import type { Readable } from "node:stream";

/** Reads a pipe without holding up the process, however fast the other end writes. */
export type Intake = {
	/** Whether there is something that has been read and not been worked on. */
	readonly isBehind: () => boolean;
	/** Works on what is left at once, up to a limit of time, and reads no more. */
	readonly finish: () => void;
};

type Sink = {
	readonly push: (chunk: Buffer, isEnough?: () => boolean) => Buffer | undefined;
	readonly end: () => void;
};

/** How long one turn of the event loop may go to one pipe: other requests and their deadlines come in between. */
const sliceMs = 8;

/** How long what a dead child has left behind is worked on: a full pipe, and what had been read of it. */
const leftoverMs = 40;

/** Chunks up to this size are worked on at once: even as the shortest lines they take less than a slice. */
const smallBytes = 2048;

export function createIntake(stream: Readable, sink: Sink, onData: () => void): Intake {
	let rest: Buffer | undefined;
	let scheduled: NodeJS.Immediate | undefined;

	function work(chunk: Buffer, limitMs: number): void {
		if (chunk.length <= smallBytes) {
			sink.push(chunk);
			return;
		}
		const until = performance.now() + limitMs;
		rest = sink.push(chunk, () => performance.now() >= until);
	}

	function goOn(): void {
		scheduled = undefined;
		const chunk = rest;
		rest = undefined;
		if (chunk) work(chunk, sliceMs);
		if (rest) later();
		else stream.resume();
	}

	function later(): void {
		scheduled = setImmediate(goOn);
	}

	stream.on("data", (chunk: Buffer) => {
		onData();
		// A paused stream may still hand out what it had read.
		if (rest) {
			rest = Buffer.concat([rest, chunk]);
			return;
		}
		work(chunk, sliceMs);
		if (!rest) return;
		stream.pause();
		later();
	});

	return {
		isBehind: () => rest !== undefined,
		finish() {
			clearImmediate(scheduled);
			const chunk = rest;
			rest = undefined;
			if (chunk) work(chunk, leftoverMs);
			rest = undefined;
			sink.end();
		},
	};
}
