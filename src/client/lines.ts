import { createLineReader } from "../lines.ts";

/** Cuts the pieces of a streamed result into lines, as MCP's stdio transport frames messages; the last may lack its end. */
export async function* readLines(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
	let lines: string[] = [];
	const reader = createLineReader(Number.POSITIVE_INFINITY, {
		onLine: (line) => {
			const text = line.toString("utf8").trim();
			if (text !== "") lines.push(text);
		},
		onOverlongLine: () => {},
	});
	const take = (): string[] => {
		const taken = lines;
		lines = [];
		return taken;
	};
	for await (const piece of pieces) {
		reader.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
		yield* take();
	}
	reader.end();
	yield* take();
}
