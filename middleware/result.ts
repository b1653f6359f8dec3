import { McpStdioError } from "../src/errors.ts";
import type { Reply } from "../src/events/event.ts";
import type { JsonRpcResponse } from "../src/jsonrpc.ts";

/** What a failure to write a result is told with: what a handler returned may be anything. */
function unwritable(cause: unknown): McpStdioError {
	const what = "The answer cannot be written as JSON: it is nested too deeply, or has a member that cannot be";
	return new McpStdioError("INVALID_ANSWER", what, { data: { phase: "request" }, cause });
}

/** Streams have a limit of their own: https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html */
const streamLimitBytes = 200 * 1024 * 1024;

/**
 * What keeps a response from reaching its caller: a size over the limit of the event's source, measured on the result that Lambda
 * writes, or that it cannot be written at all.
 */
export function problemWithResponse(
	response: JsonRpcResponse,
	{ result, limitBytes }: Reply,
	isStreamed: boolean,
): McpStdioError | undefined {
	let bytes: number;
	try {
		bytes = Buffer.byteLength(JSON.stringify(isStreamed ? response : result([response], [])));
	} catch (cause) {
		return unwritable(cause);
	}
	const limit = isStreamed ? streamLimitBytes : limitBytes;
	if (bytes <= limit) return undefined;
	const advice = isStreamed ? "ask for less" : "ask for less, or stream the result";
	const what = `The result has ${bytes} bytes, and at most ${limit} fit into an answer of this function; ${advice}`;
	return new McpStdioError("MESSAGE_TOO_LARGE", what, { data: { phase: "request" } });
}
