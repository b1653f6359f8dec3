import type { IncomingMessage, ServerResponse } from "node:http";
import type { InvocationResult } from "../environment/invocation-result.ts";
import type { LocalFunction } from "../function.ts";
import { createEventStream } from "./event-stream.ts";
import { readInvokeRequest } from "./invoke-request.ts";
import { sendServiceError, throttled, unknownOperation, validationFailed } from "./service-error.ts";

type Operation = (
	functions: ReadonlyMap<string, LocalFunction>,
	request: IncomingMessage,
	response: ServerResponse,
	functionName: string,
	query: URLSearchParams,
) => Promise<void>;

const operations: readonly (readonly [path: RegExp, operation: Operation])[] = [
	[/^\/2015-03-31\/functions\/([^/]+)\/invocations$/, invoke],
	[/^\/2021-11-15\/functions\/([^/]+)\/response-streaming-invocations$/, invokeWithResponseStream],
];

/** Answers a request of the Lambda API; rejects when the function could not be run. */
export async function handleRequest(
	functions: ReadonlyMap<string, LocalFunction>,
	request: IncomingMessage,
	response: ServerResponse,
): Promise<void> {
	const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
	for (const [path, operation] of operations) {
		const encodedName = path.exec(pathname)?.[1];
		if (request.method !== "POST" || encodedName === undefined) continue;
		const name = decode(encodedName);
		if (name !== undefined) return await operation(functions, request, response, name, searchParams);
		return sendServiceError(response, validationFailed("functionName", encodedName, "Member must be URL-encoded"));
	}
	sendServiceError(response, unknownOperation);
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
async function invoke(...[functions, request, response, name, query]: Parameters<Operation>): Promise<void> {
	const types = ["RequestResponse", "Event", "DryRun"] as const;
	const invoked = await readInvokeRequest(functions, request, response, name, query, types);
	if ("status" in invoked) return sendServiceError(response, invoked);
	if (invoked.type === "DryRun") return void response.writeHead(204).end();
	if (invoked.type === "Event") {
		invoked.fn.enqueue(invoked.invocation);
		return void response.writeHead(202, { "Content-Length": 0 }).end();
	}
	const started = invoked.fn.invoke(invoked.invocation);
	if (typeof started === "string") return sendServiceError(response, throttled(started));
	const result = await started;
	if (result.kind === "streamed") throw new Error("A plain invocation has no stream");
	if (result.isFunctionError) response.setHeader("X-Amz-Function-Error", "Unhandled");
	if (invoked.wantsLog) response.setHeader("X-Amz-Log-Result", await result.logTail);
	response.writeHead(200, { "Content-Type": "application/json", "Content-Length": result.payload.length });
	response.end(result.payload);
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html */
async function invokeWithResponseStream(
	...[functions, request, response, name, query]: Parameters<Operation>
): Promise<void> {
	const types = ["RequestResponse", "DryRun"] as const;
	const invoked = await readInvokeRequest(functions, request, response, name, query, types);
	if ("status" in invoked) return sendServiceError(response, invoked);
	if (invoked.type === "DryRun") return void response.writeHead(204).end();
	const stream = createEventStream(response);
	const started = invoked.fn.invoke(invoked.invocation, stream);
	if (typeof started === "string") return sendServiceError(response, throttled(started));
	const result = await started;
	const error = errorOf(result);
	if (result.kind === "whole" && !result.isFunctionError) {
		for (let at = 0; at < result.payload.length; at += maxPieceBytes) {
			await stream.write(result.payload.subarray(at, at + maxPieceBytes));
		}
	}
	stream.end({
		ErrorCode: error?.code,
		ErrorDetails: error?.details,
		LogResult: invoked.wantsLog ? await result.logTail : undefined,
	});
}

// How much of a result that came whole goes into one event; Lambda does not say how much it takes.
const maxPieceBytes = 64 * 1024;

function errorOf(
	result: InvocationResult,
): { readonly code: string; readonly details?: string | undefined } | undefined {
	if (result.kind === "streamed") return result.error;
	// AWS documents no code for an error before the stream has begun: it is given the one of a plain invocation.
	return result.isFunctionError ? { code: "Unhandled", details: result.payload.toString() } : undefined;
}

function decode(encoded: string): string | undefined {
	try {
		return decodeURIComponent(encoded);
	} catch {
		return undefined;
	}
}
