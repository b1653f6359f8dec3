import type { ResponseStream } from "./stream.ts";

// The marks that AWS's runtime looks for: https://github.com/aws/aws-lambda-nodejs-runtime-interface-client
const streamingMark = Symbol.for("aws.lambda.runtime.handler.streaming");
const highWaterMark = Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark");

type Marked = { [streamingMark]?: unknown; [highWaterMark]?: unknown };

/**
 * Offers `awslambda.streamifyResponse` and `awslambda.HttpResponseStream` to handlers.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html
 */
export function installStreaming(): void {
	if (["1", "true"].includes(process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA ?? "")) return;
	const globals = globalThis as { awslambda?: object };
	globals.awslambda = { ...globals.awslambda, streamifyResponse, HttpResponseStream };
}

/** How a handler streams; `undefined` when it returns its result. */
export function readStreaming(handler: object): { readonly highWaterMark: number | undefined } | undefined {
	const marked = handler as Marked;
	if (!marked[streamingMark]) return undefined;
	if (marked[streamingMark] !== "response") {
		const error = new Error("Only response streaming is supported.");
		throw Object.assign(error, { name: "Runtime.MalformedStreamingHandler" });
	}
	const bytes = Number(marked[highWaterMark] || Number.NaN);
	return { highWaterMark: Number.isNaN(bytes) ? undefined : bytes };
}

function streamifyResponse<T extends object>(handler: T, options?: { readonly highWaterMark?: unknown }): T {
	const marked = handler as Marked;
	marked[streamingMark] = "response";
	const bytes = options?.highWaterMark;
	if (typeof bytes === "number") marked[highWaterMark] = Math.trunc(bytes);
	return handler;
}

const HttpResponseStream = {
	/** Puts the metadata of an HTTP response (JSON) and eight NUL bytes before what is written. */
	from: (stream: ResponseStream, prelude: unknown): ResponseStream => {
		stream.setContentType("application/vnd.awslambda.http-integration-response");
		const json = JSON.stringify(prelude);
		stream._onBeforeFirstWrite = (write) => {
			write(json);
			write(new Uint8Array(8));
		};
		return stream;
	},
};
