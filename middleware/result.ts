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

/** Says what keeps a response from reaching its caller; `undefined` when nothing does. */
export type ResultCheck = (response: JsonRpcResponse) => McpStdioError | undefined;

/**
 * Checks the responses of one invocation: a size over the limit of the event's source, measured on the result that Lambda
 * writes, or that it cannot be written at all. The responses to a batch share the limit; the first that come have it.
 */
export function createResultCheck({ result, limitBytes }: Reply, isStreamed: boolean): ResultCheck {
	const taken = new Map<JsonRpcResponse["id"], number>();
	return (response) => {
		let bytes: number;
		try {
			bytes = Buffer.byteLength(JSON.stringify(isStreamed ? response : result([response], [])));
		} catch (cause) {
			return unwritable(cause);
		}
		taken.delete(response.id);
		const others = isStreamed ? 0 : [...taken.values()].reduce((sum, size) => sum + size, 0);
		const limit = isStreamed ? streamLimitBytes : limitBytes;
		if (others + bytes <= limit) {
			taken.set(response.id, bytes);
			return undefined;
		}
		const advice = isStreamed ? "ask for less" : "ask for less, or stream the result";
		const beside = others === 0 ? "" : ` beside the ${others} of others of its batch`;
		const what = `The result has ${bytes} bytes, and at most ${limit} fit into an answer of this function${beside}; ${advice}`;
		return new McpStdioError("MESSAGE_TOO_LARGE", what, { data: { phase: "request" } });
	};
}
