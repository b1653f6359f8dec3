import type { HttpAnswer, HttpHead, HttpRequest } from "../http/message.ts";
import type { ResolvedHttpOptions } from "../http/options.ts";
import { keepAlive, keepAliveMs } from "../http/sse.ts";
import { receiveHttp } from "../http/streamable.ts";
import { isObject } from "../jsonrpc.ts";
import type { DecodedEvent } from "./event.ts";

/** An HTTP request that came as an event, and how the source that sent it is answered. */
export type HttpEvent = {
	readonly request: HttpRequest;
	/** The function's result for a whole answer. */
	readonly result: (answer: HttpAnswer) => unknown;
	/** What the source reads before the body of a streamed answer. */
	readonly prelude: (head: HttpHead) => { readonly statusCode: number; readonly headers: Record<string, string> };
	/** What the front's authorizer has found out about the caller; `undefined` where there is none. */
	readonly claims?: Readonly<Record<string, unknown>> | undefined;
	/** How many bytes the result may have as JSON. */
	readonly limitBytes: number;
};

/** MCP over HTTP, whichever front has made an event of it. */
export function decodeHttp(event: HttpEvent, options: ResolvedHttpOptions): DecodedEvent {
	const received = receiveHttp(event.request, options);
	if ("answered" in received) return { answered: event.result(received.answered) };
	const { messages, reply } = received;
	return {
		messages,
		claims: event.claims,
		reply: {
			result: (responses, notifications) => event.result(reply.whole(responses, notifications)),
			takesNotifications: true,
			limitBytes: event.limitBytes,
			isResult: (given) => isObject(given) && typeof given.statusCode === "number",
			stream: {
				whole: (responses) => {
					const { body, ...head } = reply.whole(responses, []);
					return { ...event.prelude(head), body };
				},
				streaming: (body) => ({ ...event.prelude(reply.head), body }),
				frame: reply.frame,
				keepAlive: { text: keepAlive, everyMs: keepAliveMs },
			},
		},
	};
}
