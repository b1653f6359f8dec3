import type { IncomingHttpHeaders } from "node:http";

/** A request as a front reads it. */
export type HttpRequest = {
	readonly method: string;
	/** As it was written, without the query. */
	readonly path: string;
	/** As it was written, without the question mark. */
	readonly query: string;
	/** In the client's case and order. */
	readonly headers: readonly HeaderLine[];
	/** The same, by lower-case name. */
	readonly header: IncomingHttpHeaders;
	readonly body: Buffer;
	readonly sourceIp: string;
	readonly port: number;
	readonly requestId: string;
	/** `Root=…;Parent=…;Sampled=…` */
	readonly traceId: string;
	readonly time: Date;
	/** The key that it was signed with, where a front asks for a signature. */
	readonly accessKeyId: string | undefined;
};

export type HeaderLine = readonly [name: string, value: string];

export type HttpHead = { readonly status: number; readonly headers: readonly HeaderLine[] };

export type HttpAnswer = HttpHead & { readonly body: Buffer | string };

/** What one of AWS's fronts does with a request and with a function's result: pure. */
export type HttpFront = {
	/** Of the request's body. */
	readonly maxRequestBytes: number;
	/** The path of its URL, with a slash at both ends. */
	readonly basePath: string;
	/** The event; `undefined` for a path that it does not have. */
	readonly event: (request: HttpRequest) => object | undefined;
	/** The answer that a result means; `undefined` for one that it cannot read. */
	readonly answer: (result: unknown) => HttpAnswer | undefined;
	/** The head of a stream, of the JSON before its body; `undefined` for what it cannot read. */
	readonly head: (prelude: unknown) => HttpHead | undefined;
	/** The answer to a stream without such JSON before it. */
	readonly rawHead: (contentType: string | undefined) => HttpHead | undefined;
	/** How long it waits for a function that does not stream; `undefined` for as long as that takes. */
	readonly integrationTimeoutMs: number | undefined;
	/** How long nothing may come of a stream. */
	readonly idleTimeoutMs: number | undefined;
	readonly answers: { readonly [reason in Refusal]: HttpAnswer };
};

/** Why a front answers in place of the function: it failed, or gave what is no result; it took too long; … */
type Refusal = "failed" | "timedOut" | "throttled" | "tooLarge" | "notFound" | "forbidden";

export function json(status: number, body: object): HttpAnswer {
	return { status, headers: [["Content-Type", "application/json"]], body: JSON.stringify(body) };
}
