/** Cuts the pieces of a streamed result into lines, as MCP's stdio transport frames messages; the last may lack its end. */
export async function* readLines(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
	const decoder = new TextDecoder();
	// Of the line that is not complete yet: joined once, however many pieces it comes in.
	let parts: string[] = [];
	for await (const piece of pieces) {
		const [first = "", ...others] = decoder.decode(piece, { stream: true }).split("\n");
		parts.push(first);
		for (const next of others) {
			yield* complete(parts);
			parts = [next];
		}
	}
	parts.push(decoder.decode());
	yield* complete(parts);
}

function complete(parts: readonly string[]): string[] {
	const line = parts.join("").trim();
	return line === "" ? [] : [line];
}
