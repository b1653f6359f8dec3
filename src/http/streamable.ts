import { bridgeFailureOf } from "../errors.ts";
import { canBeWritten, parseJson } from "../json.ts";
import {
	isObject,
	isRequestId,
	type JsonRpcNotification,
	type JsonRpcResponse,
	type ReceivedMessage,
	receiveMessage,
} from "../jsonrpc.ts";
import { legacyRevision, legacyVersions } from "../protocol/revisions.ts";
import { acceptsReplies, isJson } from "./headers.ts";
import {
	type HttpAnswer,
	type HttpHead,
	type HttpRequest,
	type HttpRequestHead,
	jsonAnswer,
	refuse,
} from "./message.ts";
import type { ResolvedHttpOptions } from "./options.ts";
import { refuseForeign } from "./origin.ts";
import { answerWellKnown } from "./resource-metadata.ts";
import { answerServerCard } from "./server-card.ts";
import { frame, streamHead } from "./sse.ts";
import { statusOf } from "./status.ts";

/** What a request over HTTP brought: an answer that needs no server, or messages for it. */
export type ReceivedHttp =
	| { readonly answered: HttpAnswer }
	| { readonly messages: readonly ReceivedMessage[]; readonly reply: HttpReply };

/** How the responses to the messages of one POST become its answer. */
export type HttpReply = {
	/** The whole answer: JSON, or a body of server-sent events when notifications came before the responses. */
	readonly whole: (responses: readonly JsonRpcResponse[], notifications: readonly JsonRpcNotification[]) => HttpAnswer;
	/** The head of an answer that is streamed. */
	readonly head: HttpHead;
	/** One message of a stream. */
	readonly frame: (message: JsonRpcResponse | JsonRpcNotification) => string;
};

/** What the official SDKs accept in one POST. */
const longestBatch = 100;

/**
 * Receives one request of MCP's Streamable HTTP, by the rules of the revision that its header names
 * (https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http). There are no sessions and no
 * streams that outlive an answer: GET and DELETE get 405, which the specification provides for.
 */
export function receiveHttp(request: HttpRequest, options: ResolvedHttpOptions): ReceivedHttp {
	const answered = answerHead(request, options);
	return answered ? { answered } : receiveBody(request);
}

/** The answer that needs no look at the body; `undefined` when the request is a POST with a message. */
export function answerHead(request: HttpRequestHead, options: ResolvedHttpOptions): HttpAnswer | undefined {
	const answered = answerWithoutMessages(request, options);
	// https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2
	return answered && request.method === "HEAD" ? { ...answered, body: "" } : answered;
}

function answerWithoutMessages(request: HttpRequestHead, options: ResolvedHttpOptions): HttpAnswer | undefined {
	const { method, path } = request;
	if (isHealthCheck(request, options.healthPath)) return jsonAnswer(200, { status: "ok" });
	const card = answerServerCard(request, options.serverCard, {
		path: options.path,
		resource: options.resourceMetadata?.resource,
	});
	if (card) return card;
	const wellKnown = answerWellKnown(request, options.resourceMetadata, options.path);
	if (wellKnown) return wellKnown;
	const foreign = refuseForeign(request, options);
	if (foreign) return foreign;
	if (options.path !== undefined && withoutSlash(path) !== withoutSlash(options.path)) {
		return refuse(404, `Not found: ${path.slice(0, 200)}; the endpoint is ${options.path}`);
	}
	if (method !== "POST") {
		const what = `Method not allowed: ${method.slice(0, 20)}; a message is sent with POST, and there are no sessions`;
		return refuse(405, what, { headers: { allow: "POST" } });
	}
	const version = request.header("mcp-protocol-version");
	if (!legacyRevision(version)) {
		const known = legacyVersions.join(", ");
		return refuse(
			400,
			`Bad Request: unsupported MCP-Protocol-Version ${quote(version)} (supported versions: ${known})`,
		);
	}
	if (!isJson(request.header("content-type"))) {
		return refuse(415, "Unsupported media type: Content-Type must be application/json, in UTF-8");
	}
	if (!acceptsReplies(request.header("accept"))) {
		return refuse(406, "Not acceptable: Accept must list both application/json and text/event-stream");
	}
	return undefined;
}

// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html#lambda-target-groups-health-checks
function isHealthCheck({ method, path, header }: HttpRequestHead, healthPath: string | undefined): boolean {
	if (method !== "GET" && method !== "HEAD") return false;
	return path === healthPath || header("user-agent")?.startsWith("ELB-HealthChecker/") === true;
}

function withoutSlash(path: string): string {
	return path.endsWith("/") ? path.slice(0, -1) : path;
}

/** Receives the body of a POST whose head nothing speaks against. */
export function receiveBody({ body, header }: HttpRequest): ReceivedHttp {
	let value: unknown;
	try {
		if (body === undefined) throw new SyntaxError("the body is no UTF-8");
		// https://www.rfc-editor.org/rfc/rfc8259#section-8.1: a byte-order mark may be ignored.
		const text = body.startsWith("\ufeff") ? body.slice(1) : body;
		value = parseJson(text);
		if (!canBeWritten(value, text)) throw new RangeError("the body is nested too deeply");
	} catch (error) {
		const what = error instanceof RangeError ? "is nested too deeply" : "is not JSON in UTF-8";
		return { answered: refuse(400, `Parse error: the body ${what}`, { code: -32700 }) };
	}
	if (!Array.isArray(value)) return receiveMessages([value], false);
	const problem = problemOfBatch(value, header("mcp-protocol-version"));
	return problem === undefined
		? receiveMessages(value, true)
		: { answered: refuse(400, `Invalid Request: ${problem}`, { code: -32600 }) };
}

function problemOfBatch(batch: readonly unknown[], version: string | undefined): string | undefined {
	if (!legacyRevision(version)?.batches) return `a batch, which ${version} does not have; send one message at a time`;
	if (batch.length === 0) return "an empty batch";
	if (batch.length > longestBatch) return `a batch of ${batch.length} messages; send at most ${longestBatch}`;
	// https://modelcontextprotocol.io/specification/2025-03-26/basic/lifecycle#initialization
	const hasInitialize = batch.length > 1 && batch.some((item) => isObject(item) && item.method === "initialize");
	if (hasInitialize) return "initialize must not be part of a batch";
	const ids = batch.flatMap((item) => (isObject(item) && "method" in item && isRequestId(item.id) ? [item.id] : []));
	return new Set(ids).size < ids.length ? "a batch with two requests of one id" : undefined;
}

function receiveMessages(values: readonly unknown[], isBatch: boolean): ReceivedHttp {
	// A response answers a request of the server's, which has no way to a client here: it is taken, and goes nowhere.
	const messages = values.filter((value) => !isResponse(value)).map(receiveMessage);
	return { messages, reply: createReply(isBatch) };
}

function createReply(isBatch: boolean): HttpReply {
	return {
		whole(responses, notifications) {
			const [only] = responses;
			if (!only) return { status: 202, headers: {}, body: "" };
			if (notifications.length > 0)
				return { ...streamHead, body: [...notifications, ...responses].map(frame).join("") };
			if (isBatch) return jsonAnswer(200, responses);
			const failure = bridgeFailureOf(only);
			return jsonAnswer(failure === undefined ? 200 : statusOf(failure), only);
		},
		head: streamHead,
		frame,
	};
}

function isResponse(value: unknown): boolean {
	return isObject(value) && value.jsonrpc === "2.0" && !("method" in value) && ("result" in value || "error" in value);
}

function quote(value: string | undefined): string {
	return JSON.stringify((value ?? "").slice(0, 100));
}
