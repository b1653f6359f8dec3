import type { Readable } from "node:stream";
import { McpStdioError } from "../errors.ts";
import type { StreamedReply } from "../events/event.ts";
import type { JsonRpcResponse, ReceivedMessage } from "../jsonrpc.ts";
import {
	type LifetimeOptions,
	type ResolvedRequestOptions,
	requestRules,
	resolveRequestOptions,
	type StdioRequestOptions,
} from "../options.ts";
import { resolveParams, type StdioServerParams } from "../params.ts";
import { createStreamedResult } from "../result.ts";
import { runResolved } from "../run.ts";
import { type OptionRules, validateOptions } from "../validate.ts";
import { type HttpAnswer, type HttpHead, type HttpRequestHead, refuse } from "./message.ts";
import { type HttpOptions, httpRules, resolveHttpOptions } from "./options.ts";
import { keepAlive, keepAliveMs } from "./sse.ts";
import { answerHead, type HttpReply, receiveBody } from "./streamable.ts";

/** How requests are received and treated. */
export type McpFetchOptions = HttpOptions & LifetimeOptions & Pick<StdioRequestOptions, "timeoutMs" | "exposeStderr">;

const rules: OptionRules<McpFetchOptions> = {
	...httpRules,
	lifetime: requestRules.lifetime,
	standby: requestRules.standby,
	maxProcesses: requestRules.maxProcesses,
	observer: requestRules.observer,
	timeoutMs: requestRules.timeoutMs,
	exposeStderr: requestRules.exposeStderr,
};

/** As much as an event of Lambda's may bring. */
const maxRequestBytes = 6 * 1024 * 1024;

/**
 * A stdio MCP server as a function from a web `Request` to a `Response`, by MCP's Streamable HTTP: for Hono, for any HTTP server
 * with an adapter, for containers and Lambda Web Functions. It knows neither Lambda nor Middy.
 *
 * Notifications of the server (progress, log messages) make the answer a stream of server-sent events, which begins while the
 * tool runs; without any it is JSON. A client that goes ends what it asked for, with the server's process in the lifetime
 * `request`. A request whose origin is foreign gets 403: list the pages' origins in `allowedOrigins`, and what the server is
 * called by in `allowedHosts`.
 *
 * Throws a TypeError for wrong params or options. The function never rejects.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
 * @example
 * import { npmServer } from "mcp-stdio-lambda";
 * import { createMcpFetch } from "mcp-stdio-lambda/http";
 *
 * export default { fetch: createMcpFetch(npmServer("@modelcontextprotocol/server-everything"), { path: "/mcp" }) };
 */
export function createMcpFetch(
	params: StdioServerParams,
	options: McpFetchOptions = {},
): (request: Request) => Promise<Response> {
	resolveParams(params);
	validateOptions("options", options, rules);
	const http = resolveHttpOptions(options);
	const { lifetime, standby, maxProcesses, observer, timeoutMs, exposeStderr } = options;
	const forwarding = resolveRequestOptions({ lifetime, standby, maxProcesses, observer, timeoutMs, exposeStderr });

	return async function fetchMcp(request) {
		const head = readHead(request);
		// What is refused is not read: it may have megabytes.
		const refused = answerHead(head, http);
		if (refused) return toResponse(refused);
		const body = await readBody(request);
		if (body === "too large") return toResponse(refuse(413, `Payload too large: at most ${maxRequestBytes} bytes`));
		const received = receiveBody({ ...head, body: body?.text });
		if ("answered" in received) return toResponse(received.answered);
		const controller = new AbortController();
		const abort = (): void => controller.abort("The client has gone");
		const result = createStreamedResult(streamedReply(received.reply));
		const onNotification = result.notify;
		const { signal } = controller;
		const responses = Promise.all(
			received.messages.flatMap((message) => answer(message, params, { ...forwarding, signal, onNotification })),
		);
		if (request.signal.aborted) abort();
		else request.signal.addEventListener("abort", abort, { once: true });
		responses.finally(() => request.signal.removeEventListener("abort", abort)).catch(() => {});
		return (await result.respond(responses, abort)) as Response;
	};
}

function answer(
	message: ReceivedMessage,
	params: StdioServerParams,
	options: ResolvedRequestOptions,
): Promise<JsonRpcResponse>[] {
	if (message.kind === "notification") return [];
	if (message.kind === "request") {
		return [runResolved(params, message.request, options) as Promise<JsonRpcResponse>];
	}
	const invalid = new McpStdioError("INVALID_MESSAGE", `Invalid request: ${message.problem}`, {
		data: { phase: "validate" },
	});
	return [Promise.resolve(invalid.toResponse(message.id))];
}

function streamedReply({ whole, head, frame }: HttpReply): StreamedReply {
	return {
		whole: (responses) => toResponse(whole(responses, [])),
		streaming: (body) => new Response(ReadableStream.from(body as Readable), toInit(head)),
		frame,
		keepAlive: { text: keepAlive, everyMs: keepAliveMs },
	};
}

function toResponse(answered: HttpAnswer): Response {
	return new Response(answered.body === "" ? null : answered.body, toInit(answered));
}

function toInit({ status, headers }: HttpHead): ResponseInit {
	return { status, headers: { ...headers } };
}

function readHead(request: Request): HttpRequestHead {
	return {
		method: request.method,
		path: new URL(request.url).pathname,
		basePath: "",
		header: (name) => request.headers.get(name) ?? undefined,
		// Of what the URL says, the client has decided.
		ownOrigin: undefined,
	};
}

type Body = { readonly text: string | undefined };

/** The text is `undefined` where the bytes are no UTF-8; there is none at all where the client has gone. */
async function readBody(request: Request): Promise<Body | undefined | "too large"> {
	const announced = Number(request.headers.get("content-length") ?? Number.NaN);
	if (announced > maxRequestBytes) return "too large";
	try {
		// Servers read a text of known length without making a stream of it, which costs more than all else here.
		return Number.isNaN(announced) ? await readStream(request) : checkText(await request.text(), announced);
	} catch {
		return undefined;
	}
}

/** What is no UTF-8 was replaced, by a character that takes three bytes. */
function checkText(text: string, announced: number): Body | "too large" {
	if (text.length > maxRequestBytes) return "too large";
	const isReplaced = text.includes("\ufffd") && Buffer.byteLength(text) !== announced;
	return { text: isReplaced ? undefined : text };
}

async function readStream(request: Request): Promise<Body | "too large"> {
	const chunks: Uint8Array[] = [];
	let bytes = 0;
	for await (const chunk of request.body ?? []) {
		bytes += chunk.length;
		if (bytes > maxRequestBytes) return "too large";
		chunks.push(chunk);
	}
	return { text: decode(Buffer.concat(chunks)) };
}

const decoder = new TextDecoder("utf-8", { fatal: true });

function decode(bytes: Uint8Array): string | undefined {
	try {
		return decoder.decode(bytes);
	} catch {
		return undefined;
	}
}
