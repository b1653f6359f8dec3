import type { JsonRpcNotification, JsonRpcResponse, ReceivedMessage } from "../jsonrpc.ts";

/** What an event that is MCP's brought: the function's result, where no server is needed, or messages and how they are answered. */
export type DecodedEvent =
	| { readonly answered: unknown }
	| {
			readonly messages: readonly ReceivedMessage[];
			readonly reply: Reply;
			/** What the source itself has found out about the caller; never what the caller wrote. */
			readonly claims?: Readonly<Record<string, unknown>> | undefined;
	  };

/** How the source of an event is answered. */
export type Reply = {
	/**
	 * Makes the function's result of one response for each message that is no notification, in their order, and of the
	 * notifications that the server sent before, where `takesNotifications`.
	 */
	readonly result: (responses: readonly JsonRpcResponse[], notifications: readonly JsonRpcNotification[]) => unknown;
	readonly takesNotifications: boolean;
	/** How many bytes the result may have, as the JSON that Lambda makes of it. */
	readonly limitBytes: number;
	/** Whether what a handler returned is a result for this source already, such as an HTTP answer of its own. */
	readonly isResult: (given: unknown) => boolean;
	/** The error that the function fails with in place of a result, for sources that are told of errors in that way. */
	readonly failure?: (responses: readonly JsonRpcResponse[]) => Error | undefined;
	readonly stream: StreamedReply;
};

/** How a source is answered while the server works, in Middy's streaming mode. */
export type StreamedReply = {
	/** The result when nothing was written before the responses: text, or a head with a text as its body. */
	readonly whole: (responses: readonly JsonRpcResponse[]) => unknown;
	/** The result whose body is a stream. */
	readonly streaming: (body: unknown) => unknown;
	/** One message of the stream; `undefined` for a source that reads nothing but the whole. */
	readonly frame: ((message: JsonRpcResponse | JsonRpcNotification) => string) | undefined;
	/** What is written while there is nothing else to write, for connections that are closed when they idle. */
	readonly keepAlive: { readonly text: string; readonly everyMs: number } | undefined;
};

/** Lambda's own limit: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, to the byte as its error names it. */
export const lambdaLimitBytes = 6_291_556;
