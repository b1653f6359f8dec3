/** Where the JSON before a streamed body ends. */
const delimiter: Buffer = Buffer.alloc(8);

/** In so many bytes it must have come. */
const maxPreludeBytes = 16 * 1024;

/** Collects what comes before the body of a streamed response. */
export type Prelude = {
	/**
	 * Takes the next piece; returns the JSON and the piece's part of the body once both are known, and "bad" for what cannot be
	 * a prelude any more.
	 */
	readonly push: (piece: Buffer) => { readonly value: unknown; readonly body: Buffer } | "bad" | undefined;
};

/** https://docs.aws.amazon.com/lambda/latest/dg/response-streaming.html */
export function createPrelude(): Prelude {
	let collected: Buffer = Buffer.alloc(0);
	return {
		push(piece) {
			collected = Buffer.concat([collected, piece]);
			const end = collected.indexOf(delimiter);
			if (end === -1) return collected.length > maxPreludeBytes ? "bad" : undefined;
			try {
				const value: unknown = JSON.parse(collected.toString("utf8", 0, end));
				return { value, body: collected.subarray(end + delimiter.length) };
			} catch {
				return "bad";
			}
		},
	};
}
