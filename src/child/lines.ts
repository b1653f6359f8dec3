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
	readonly push: (chunk: Buffer) => void;
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
		push(chunk) {
			let start = 0;
			for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
				if (end > start) add(chunk.subarray(start, end));
				start = end + 1;
				if (bytes > 0) finish();
			}
			if (start < chunk.length) add(start === 0 ? chunk : chunk.subarray(start));
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
