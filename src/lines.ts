/** Where the lines go. */
export type LineHandlers = {
	/** A whole line, without its newline; valid for as long as it is kept. */
	readonly onLine: (line: Buffer) => void;
	/** A line has grown over the cap: its first bytes. What follows of it is discarded. */
	readonly onOverlongLine: (head: Buffer) => void;
	/** A line over the cap has ended (or the stream has): its last bytes. */
	readonly onOverlongLineEnd?: (tail: Buffer) => void;
};

export type LineReader = {
	/** Takes a chunk; what `isEnough` stops it at, after a line, is returned to be pushed again. */
	readonly push: (chunk: Buffer, isEnough?: () => boolean) => Buffer | undefined;
	/** The next bytes are one line, whatever is in them. */
	readonly takeBytes: (count: number) => void;
	/** The stream has ended: what has come since the last newline is a line too. */
	readonly end: () => void;
};

const newline = 0x0a;
const keptOfOverlongLine = 256;

/**
 * Splits a byte stream into lines, in linear time however it is cut: bytes are only searched once and joined once, and
 * decoded by whoever gets the whole line, so that no character is ever split. A line over `maxLineBytes` is discarded as
 * it comes and reported; the stream goes on behind it.
 */
export function createLineReader(maxLineBytes: number, handlers: LineHandlers): LineReader {
	let parts: Buffer[] = [];
	let bytes = 0;
	let overlongTail: Buffer | undefined;
	/** How many bytes a line is said to have, where newlines do not end it. */
	let counted = 0;

	/** Where the counted bytes end in a chunk; -1 when they go on behind it. */
	const countedEnd = (chunk: Buffer, start: number): number => {
		const missing = counted - bytes;
		return missing <= chunk.length - start ? start + missing : -1;
	};

	const add = (part: Buffer): void => {
		bytes += part.length;
		if (overlongTail) {
			overlongTail = lastBytes([overlongTail, part]);
		} else if (bytes > maxLineBytes) {
			const all = [...parts, part];
			overlongTail = lastBytes(all);
			parts = [];
			handlers.onOverlongLine(firstBytes(all));
		} else {
			parts.push(part);
		}
	};

	const finish = (): void => {
		const line = parts;
		const size = bytes;
		const tail = overlongTail;
		parts = [];
		bytes = 0;
		overlongTail = undefined;
		if (tail) handlers.onOverlongLineEnd?.(tail);
		else handlers.onLine(line.length === 1 ? (line[0] as Buffer) : Buffer.concat(line, size));
	};

	return {
		push(chunk, isEnough) {
			let start = 0;
			while (start < chunk.length) {
				const end = counted > 0 ? countedEnd(chunk, start) : chunk.indexOf(newline, start);
				if (end === -1) {
					add(start === 0 ? chunk : chunk.subarray(start));
					return undefined;
				}
				const isCounted = counted > 0;
				counted = 0;
				if (end > start) add(chunk.subarray(start, end));
				start = isCounted ? end : end + 1;
				if (bytes > 0) finish();
				if (start < chunk.length && isEnough?.()) return chunk.subarray(start);
			}
			return undefined;
		},
		takeBytes(count) {
			counted = count;
		},
		end() {
			if (bytes > 0) finish();
		},
	};
}

function firstBytes(parts: readonly Buffer[]): Buffer {
	const wanted: Buffer[] = [];
	let bytes = 0;
	for (const part of parts) {
		wanted.push(part.subarray(0, keptOfOverlongLine - bytes));
		bytes += part.length;
		if (bytes >= keptOfOverlongLine) break;
	}
	return Buffer.concat(wanted);
}

function lastBytes(parts: readonly Buffer[]): Buffer {
	const wanted: Buffer[] = [];
	let bytes = 0;
	for (const part of parts.toReversed()) {
		wanted.unshift(part.subarray(Math.max(0, part.length - (keptOfOverlongLine - bytes))));
		bytes += part.length;
		if (bytes >= keptOfOverlongLine) break;
	}
	return Buffer.concat(wanted);
}
