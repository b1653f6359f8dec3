import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { RuntimeInvocation } from "../../environment/runtime-api.ts";
import type { LocalFunction } from "../../function.ts";
import { readBody } from "../../http-body.ts";
import { traceIdFor } from "../trace.ts";
import type { HeaderLine, HttpFront, HttpRequest } from "./front.ts";
import { functionUrl } from "./function-url.ts";
import { httpApi } from "./http-api.ts";
import { loadBalancer } from "./load-balancer.ts";
import type { ResolvedFront } from "./options.ts";
import { restApi } from "./rest-api.ts";
import { sendAnswer } from "./send.ts";
import { isSignedBy } from "./signature.ts";
import { createStreamedAnswer } from "./streamed-answer.ts";

const kinds: { readonly [kind in ResolvedFront["kind"]]: (front: ResolvedFront) => HttpFront } = {
	functionUrl,
	httpApi,
	restApi,
	loadBalancer,
};

/** A front that listens. */
export type ListeningFront = { readonly url: string; readonly close: () => Promise<void> };

/** Rejects when the port is taken. */
export async function startFront(options: ResolvedFront, fn: LocalFunction, host: string): Promise<ListeningFront> {
	const front = kinds[options.kind](options);
	const server = createServer({ requestTimeout: 0 }, (request, response) => {
		handle(options, front, fn, request, response).catch(() => sendAnswer(response, front.answers.failed));
	});
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject).listen(options.port, host, resolve);
	});
	const { port } = server.address() as AddressInfo;
	return {
		url: `http://${host.includes(":") ? `[${host}]` : host}:${port}${front.basePath}`,
		close: () => close(server),
	};
}

function close(server: Server): Promise<void> {
	const closed = new Promise<void>((resolve) => server.close(() => resolve()));
	server.closeAllConnections();
	return closed;
}

async function handle(
	options: ResolvedFront,
	front: HttpFront,
	fn: LocalFunction,
	message: IncomingMessage,
	response: ServerResponse,
): Promise<void> {
	const { bytes } = await readBody(message, front.maxRequestBytes);
	if (bytes === undefined) return sendAnswer(response, front.answers.tooLarge);
	const request = readRequest(message, bytes, options);
	const service = options.kind === "functionUrl" ? "lambda" : "execute-api";
	if (options.iam && !isSignedBy(options.iam, service, options.region, request)) {
		return sendAnswer(response, front.answers.forbidden);
	}
	const event = front.event(request);
	if (event === undefined) return sendAnswer(response, front.answers.notFound);
	const invocation: RuntimeInvocation = {
		requestId: request.requestId,
		invokedFunctionArn: fn.resolved.arn,
		traceId: request.traceId,
		clientContext: undefined,
		tenantId: undefined,
		payload: Buffer.from(JSON.stringify(event)),
	};
	await (options.streaming ? stream : buffer)(front, fn, invocation, response);
}

async function buffer(
	front: HttpFront,
	fn: LocalFunction,
	invocation: RuntimeInvocation,
	response: ServerResponse,
): Promise<void> {
	const started = fn.invoke(invocation);
	if (typeof started === "string") return sendAnswer(response, front.answers.throttled);
	const limitMs = front.integrationTimeoutMs;
	// The function goes on; what it answers then is lost.
	const timer = limitMs && setTimeout(() => sendAnswer(response, front.answers.timedOut), limitMs);
	try {
		const result = await started;
		const isResult = result.kind === "whole" && !result.isFunctionError;
		const answer = isResult ? front.answer(parse(result.payload)) : undefined;
		sendAnswer(response, answer ?? front.answers.failed);
	} finally {
		clearTimeout(timer);
	}
}

async function stream(
	front: HttpFront,
	fn: LocalFunction,
	invocation: RuntimeInvocation,
	response: ServerResponse,
): Promise<void> {
	const output = createStreamedAnswer(front, response);
	const started = fn.invoke(invocation, output);
	if (typeof started === "string") return sendAnswer(response, front.answers.throttled);
	output.end(await started);
}

function parse(payload: Buffer): unknown {
	try {
		return JSON.parse(payload.toString());
	} catch {
		return undefined;
	}
}

function readRequest(message: IncomingMessage, body: Buffer, { iam }: ResolvedFront): HttpRequest {
	const { rawHeaders, headers, socket, url = "/", method = "GET" } = message;
	const at = url.indexOf("?");
	return {
		method,
		path: at === -1 ? url : url.slice(0, at),
		query: at === -1 ? "" : url.slice(at + 1),
		headers: linesOf(rawHeaders),
		header: headers,
		body,
		sourceIp: socket.remoteAddress ?? "127.0.0.1",
		port: socket.localPort ?? 0,
		requestId: randomUUID(),
		traceId: traceIdFor(headers["x-amzn-trace-id"]?.toString()),
		time: new Date(),
		accessKeyId: iam?.accessKeyId,
	};
}

/** Hop-by-hop headers end at the front. */
function linesOf(rawHeaders: readonly string[]): HeaderLine[] {
	const lines: HeaderLine[] = [];
	for (let index = 0; index < rawHeaders.length; index += 2) {
		const [name = "", value = ""] = rawHeaders.slice(index, index + 2);
		if (/^(connection|keep-alive|transfer-encoding|x-amzn-trace-id)$/i.test(name)) continue;
		lines.push([name, value]);
	}
	return lines;
}
