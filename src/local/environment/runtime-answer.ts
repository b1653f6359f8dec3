import type { IncomingMessage } from "node:http";
import { readBody } from "../http-body.ts";
import { maxResponseBytes, maxStreamedResponseBytes } from "./function-error.ts";
import type { ResponseOutput } from "./response-output.ts";

/** What a runtime said about an invocation. */
export type RuntimeAnswer =
	/** Its result or its error, whole. */
	| { readonly kind: "response" | "error"; readonly payload: Buffer }
	/** A stream that was passed on, with the error that ended it. */
	| { readonly kind: "streamed"; readonly error?: StreamedError | undefined }
	/** More bytes than Lambda allows; when streamed, those within the limit have been passed on. */
	| { readonly kind: "tooLarge"; readonly streamed: boolean; readonly limitBytes: number }
	/** A stream whose connection broke. */
	| { readonly kind: "truncated" };

type StreamedError = { readonly errorType: string /** JSON. */; readonly body: Buffer };

/**
 * Reads what a runtime posts as its response. A stream goes piece by piece to `output`; without one it is collected.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
 */
export async function readResponse(
	request: IncomingMessage,
	output: ResponseOutput | undefined,
): Promise<RuntimeAnswer> {
	if (request.headers["lambda-runtime-function-response-mode"] !== "streaming") {
		return await readWhole(request, "response");
	}
	try {
		if (output) return await passOn(request, output);
		const answer = await readWhole(request, "response");
		const error = answer.kind === "response" ? readErrorTrailers(request) : undefined;
		return error ? { kind: "error", payload: error.body } : answer;
	} catch {
		return { kind: "truncated" };
	}
}

/** Rejects when the connection breaks. */
export async function readWhole(request: IncomingMessage, kind: "response" | "error"): Promise<RuntimeAnswer> {
	const { bytes } = await readBody(request, maxResponseBytes);
	if (bytes === undefined) return { kind: "tooLarge", streamed: false, limitBytes: maxResponseBytes };
	return { kind, payload: bytes };
}

async function passOn(request: IncomingMessage, output: ResponseOutput): Promise<RuntimeAnswer> {
	output.start(request.headers["content-type"]);
	let length = 0;
	for await (const piece of request as AsyncIterable<Buffer>) {
		const allowed = piece.subarray(0, Math.max(0, maxStreamedResponseBytes - length));
		length += piece.length;
		// What is over the limit is read and dropped, so that the answer can be sent.
		if (allowed.length > 0) await output.write(allowed);
	}
	if (length > maxStreamedResponseBytes) {
		return { kind: "tooLarge", streamed: true, limitBytes: maxStreamedResponseBytes };
	}
	return { kind: "streamed", error: readErrorTrailers(request) };
}

function readErrorTrailers({ trailers }: IncomingMessage): StreamedError | undefined {
	const errorType = trailers["lambda-runtime-function-error-type"];
	if (!errorType) return undefined;
	const body = Buffer.from(trailers["lambda-runtime-function-error-body"] ?? "", "base64");
	return { errorType, body: body.length > 0 ? body : Buffer.from(JSON.stringify({ errorType })) };
}
