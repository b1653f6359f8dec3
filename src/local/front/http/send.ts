import type { ServerResponse } from "node:http";
import type { HttpAnswer, HttpHead } from "./front.ts";

/** Sends status and headers; what cannot be sent as a header is left out. */
export function sendHead(response: ServerResponse, { status, headers }: HttpHead): void {
	for (const [name, value] of headers) {
		// The framing of the body is the front's own.
		if (/^(transfer-encoding|content-length|connection)$/i.test(name)) continue;
		try {
			response.appendHeader(name, value);
		} catch {
			// A name or a value that HTTP does not have.
		}
	}
	response.writeHead(status);
}

export function sendAnswer(response: ServerResponse, answer: HttpAnswer): void {
	if (response.destroyed || response.headersSent) return;
	if (answer.status !== 204 && answer.status !== 304) {
		response.setHeader("Content-Length", Buffer.byteLength(answer.body));
	}
	sendHead(response, answer);
	response.end(answer.body);
}
