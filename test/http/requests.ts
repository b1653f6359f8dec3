import type { HttpRequest } from "../../src/http/message.ts";
import { type HttpOptions, resolveHttpOptions } from "../../src/http/options.ts";
import { type ReceivedHttp, receiveHttp } from "../../src/http/streamable.ts";

export type Given = {
	readonly method?: string;
	readonly path?: string;
	readonly basePath?: string;
	readonly headers?: Readonly<Record<string, string | undefined>>;
	readonly body?: unknown;
	readonly ownOrigin?: string | undefined;
};

const defaultHeaders = {
	"content-type": "application/json",
	accept: "application/json, text/event-stream",
	"mcp-protocol-version": "2025-11-25",
	host: "abc.lambda-url.eu-west-1.on.aws",
};

/** A POST as an MCP client sends it, with what a test changes. A body that is no text is sent as JSON. */
function post({ method = "POST", path = "/mcp", basePath = "", headers, body, ...rest }: Given = {}): HttpRequest {
	const all: Readonly<Record<string, string | undefined>> = { ...defaultHeaders, ...headers };
	const own = "ownOrigin" in rest ? rest.ownOrigin : "https://abc.lambda-url.eu-west-1.on.aws";
	const value = body ?? { jsonrpc: "2.0", id: 1, method: "tools/list" };
	return {
		method,
		path,
		basePath,
		header: (name) => all[name],
		body: typeof value === "string" ? value : JSON.stringify(value),
		ownOrigin: own,
	};
}

export function receive(given?: Given, options: HttpOptions = {}): ReceivedHttp {
	return receiveHttp(post(given), resolveHttpOptions(options));
}

type Answered = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: unknown };

/** The answer that was given without a server; throws when there is none. */
export function answered(given?: Given, options?: HttpOptions): Answered {
	const received = receive(given, options);
	if (!("answered" in received)) throw new Error("The request was not answered at once");
	const { status, headers, body } = received.answered;
	return { status, headers, body: body === "" ? "" : JSON.parse(body) };
}

/** The status that was answered at once; 0 when messages came through. */
export function statusOf(given?: Given, options?: HttpOptions): number {
	const received = receive(given, options);
	return "answered" in received ? received.answered.status : 0;
}
