import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import { formatError, toHeaderValue } from "./error.ts";

/**
 * What a streaming handler gets to write its response to: as AWS's runtime gives it, a plain object that `pipeline`
 * takes for a Writable.
 */
export type ResponseStream = NodeJS.WritableStream & {
	readonly writableFinished: boolean;
	/** Until the first write. */
	setContentType(contentType: string): void;
	/** Is called with a `write` of its own before the first write of the handler. */
	_onBeforeFirstWrite?: ((write: (chunk: string | Uint8Array) => unknown) => void) | undefined;
};

/** A response on its way to the Runtime API. */
export type StreamedResponse = {
	readonly stream: ResponseStream;
	/**
	 * Resolves when the Runtime API has answered, which it does when the stream has ended. A connection that breaks rejects
	 * it: while nobody waits for it, that ends the process, as it does with AWS's runtime.
	 */
	readonly done: Promise<void>;
	/** Ends the stream with an error. */
	fail(error: unknown): Promise<void>;
};

const methods = [
	"cork",
	"destroy",
	"end",
	"uncork",
	"addListener",
	"on",
	"once",
	"prependListener",
	"prependOnceListener",
	"off",
	"removeListener",
	"removeAllListeners",
	"setMaxListeners",
	"getMaxListeners",
	"listeners",
	"rawListeners",
	"listenerCount",
	"eventNames",
	"emit",
] as const;

const properties = [
	"destroyed",
	"writable",
	"writableCorked",
	"writableEnded",
	"writableFinished",
	"writableHighWaterMark",
	"writableLength",
	"writableNeedDrain",
	"writableObjectMode",
] as const;

/** https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming */
export function createStreamOpener(
	address: string,
	highWaterMark: number | undefined,
): (requestId: string) => StreamedResponse {
	const [host, port] = address.split(":");
	// Node.js hands what an agent is made with to the sockets that it opens.
	const agent = new Agent({
		keepAlive: true,
		maxSockets: 1,
		...(highWaterMark === undefined ? {} : { highWaterMark }),
	});
	return (requestId) => {
		const outgoing = request({
			host,
			port,
			agent,
			method: "POST",
			path: `/2018-06-01/runtime/invocation/${encodeURIComponent(requestId)}/response`,
			headers: {
				"Content-Type": "application/octet-stream",
				"Lambda-Runtime-Function-Response-Mode": "streaming",
				Trailer: ["Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"],
				"Transfer-Encoding": "chunked",
			},
		});
		const done = new Promise<void>((resolve, reject) => {
			outgoing.on("response", (response: IncomingMessage) => {
				response.on("end", resolve).on("error", reject).resume();
			});
			outgoing.on("error", reject);
		});
		return {
			stream: createResponseStream(outgoing),
			done,
			fail: async (error) => {
				const formatted = formatError(error);
				outgoing.addTrailers({
					"Lambda-Runtime-Function-Error-Type": toHeaderValue(formatted.errorType),
					"Lambda-Runtime-Function-Error-Body": Buffer.from(JSON.stringify(formatted)).toString("base64"),
				});
				outgoing.end();
				await done;
			},
		};
	};
}

function createResponseStream(outgoing: ClientRequest): ResponseStream {
	let written = false;
	const stream = {
		write: (chunk: unknown, ...rest: []): boolean => {
			const isData = typeof chunk === "string" || chunk instanceof Uint8Array;
			if (!written) (stream as unknown as ResponseStream)._onBeforeFirstWrite?.((bytes) => outgoing.write(bytes));
			written = true;
			return outgoing.write(isData ? chunk : JSON.stringify(chunk), ...rest);
		},
		setContentType: (contentType: string): void => {
			if (written) {
				const error = new Error("Cannot set content-type, too late.");
				throw Object.assign(error, { name: "Runtime.InvalidStreamingOperation" });
			}
			outgoing.setHeader("Content-Type", contentType);
		},
	};
	for (const name of methods) Object.assign(stream, { [name]: outgoing[name].bind(outgoing) });
	for (const name of properties) Object.defineProperty(stream, name, { get: () => outgoing[name] });
	return stream as unknown as ResponseStream;
}
