/**
 * One HTTP request as plain data, whatever front or server it came through: web objects cost a third of a warm request, so
 * they are made only for the code that asks for them.
 */
export type HttpRequest = HttpRequestHead & {
	/** The body as text; `undefined` when its bytes are no UTF-8. */
	readonly body: string | undefined;
};

/** What is known before the body. */
export type HttpRequestHead = {
	readonly method: string;
	/** The path without query, stage and base path; it begins with a slash. */
	readonly path: string;
	/** A header's value by its lower-case name; repeated headers are joined by commas. */
	readonly header: (name: string) => string | undefined;
	/**
	 * The origin by which the front itself knows that it is reached, such as `https://abc.lambda-url.eu-west-1.on.aws`; never
	 * from a header. `undefined` where only the client says.
	 */
	readonly ownOrigin: string | undefined;
	/** What the front has cut from the path in front, such as `/prod` for a stage; empty where it has cut nothing. */
	readonly basePath: string;
};

/** The head of an HTTP answer. Header names are in lower case, but for those of CORS. */
export type HttpHead = { readonly status: number; readonly headers: Readonly<Record<string, string>> };

/** A whole HTTP answer; the body is text, and empty where there is none. */
export type HttpAnswer = HttpHead & { readonly body: string };

/** An answer in JSON. */
export function jsonAnswer(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
	return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(value) };
}

/**
 * A refusal of the transport, before any JSON-RPC message was looked at. The body is JSON-RPC, so that a client shows the
 * reason and does not take the endpoint for one of an older protocol.
 */
export function refuse(
	status: number,
	message: string,
	{ code = -32000, headers = {} }: { readonly code?: number; readonly headers?: Readonly<Record<string, string>> } = {},
): HttpAnswer {
	return jsonAnswer(status, { jsonrpc: "2.0", error: { code, message }, id: null }, headers);
}

/** Pages of any origin may read. In the letters in which `@middy/http-cors` looks for what is set already. */
export const readableByAll = {
	"Access-Control-Allow-Origin": "*",
	"Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
	"Access-Control-Allow-Headers": "*",
};

/** A path by which one with a slash behind is the same. */
export function withoutSlash(path: string): string {
	return path.endsWith("/") ? path.slice(0, -1) : path;
}
