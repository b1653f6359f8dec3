import type { IncomingMessage } from "node:http";

/** A request's body; one over the limit is read to its end and dropped, so that the answer can be sent. */
export type Body = { readonly length: number; readonly bytes: Buffer | undefined };

export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Body> {
	let chunks: Buffer[] = [];
	let length = 0;
	for await (const chunk of request as AsyncIterable<Buffer>) {
		length += chunk.length;
		if (length > maxBytes) chunks = [];
		else chunks.push(chunk);
	}
	return { length, bytes: length > maxBytes ? undefined : Buffer.concat(chunks, length) };
}
