import { randomBytes, randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { LocalFunction } from "./function.ts";
import { findFunction } from "./function-name.ts";
import { readBody } from "./http-body.ts";
import type { RuntimeInvocation } from "./runtime-api.ts";
import {
	invalidContent,
	invalidParameter,
	requestTooLarge,
	type ServiceError,
	sendServiceError,
	throttled,
} from "./service-error.ts";

/**
 * The largest request, by invocation type: 6 MiB and 1 MiB.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
const maxRequestBytes = { RequestResponse: 6 * 1024 * 1024, Event: 1024 * 1024, DryRun: 6 * 1024 * 1024 } as const;

/** Of the base64 text: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_RequestParameters */
const maxClientContextBytes = 3583;

type InvocationType = keyof typeof maxRequestBytes;

export const invokePath: RegExp = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;

/** Invoke: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
export async function handleInvoke(
	functions: ReadonlyMap<string, LocalFunction>,
	request: IncomingMessage,
	response: ServerResponse,
	functionName: string,
	query: URLSearchParams,
): Promise<void> {
	const requestId = randomUUID();
	response.setHeader("x-amzn-RequestId", requestId);
	const type = header(request, "x-amz-invocation-type") ?? "RequestResponse";
	const isKnownType = Object.hasOwn(maxRequestBytes, type);
	const limit = maxRequestBytes[isKnownType ? (type as InvocationType) : "RequestResponse"];
	const body = await readBody(request, limit);
	const refuse = (error: ServiceError): void => sendServiceError(response, error);

	if (!isKnownType) return refuse(invalidParameter(`InvocationType ${type} is not supported`));
	const found = findFunction(functions, functionName, query.get("Qualifier") ?? undefined);
	if ("status" in found) return refuse(found);
	if (body.bytes === undefined) return refuse(requestTooLarge(body.length, type, limit));
	const clientContext = decodeClientContext(header(request, "x-amz-client-context"));
	if (typeof clientContext === "object") return refuse(clientContext);
	const payload = body.length === 0 ? Buffer.from("{}") : body.bytes;
	const problem = findJsonProblem(payload);
	if (problem !== undefined) return refuse(invalidContent(problem));

	response.setHeader("X-Amz-Executed-Version", "$LATEST");
	if (type === "DryRun") return void response.writeHead(204).end();
	const traceId = traceIdFor(header(request, "x-amzn-trace-id"));
	response.setHeader("X-Amzn-Trace-Id", traceId);
	const invocation: RuntimeInvocation = {
		requestId,
		invokedFunctionArn: found.invokedArn,
		traceId,
		clientContext: type === "RequestResponse" ? clientContext : undefined,
		payload,
	};
	if (type === "Event") {
		found.fn.enqueue(invocation);
		return void response.writeHead(202, { "Content-Length": 0 }).end();
	}
	const started = found.fn.invoke(invocation);
	if (typeof started === "string") return refuse(throttled(started));
	const result = await started;
	if (result.isFunctionError) response.setHeader("X-Amz-Function-Error", "Unhandled");
	if (header(request, "x-amz-log-type") === "Tail") response.setHeader("X-Amz-Log-Result", await result.logTail);
	response.writeHead(200, { "Content-Type": "application/json", "Content-Length": result.payload.length });
	response.end(result.payload);
}

function header(request: IncomingMessage, name: string): string | undefined {
	const value = request.headers[name];
	return typeof value === "string" && value !== "" ? value : undefined;
}

function decodeClientContext(base64: string | undefined): string | undefined | ServiceError {
	if (base64 === undefined) return undefined;
	if (base64.length > maxClientContextBytes) {
		return invalidParameter(`Client context must be ${maxClientContextBytes} bytes or less`);
	}
	const json = Buffer.from(base64, "base64").toString();
	const problem = findJsonProblem(json);
	return problem === undefined ? json : invalidContent(`Client context must be a valid Base64-encoded JSON object.`);
}

function findJsonProblem(json: Buffer | string): string | undefined {
	try {
		JSON.parse(json.toString());
		return undefined;
	} catch (error) {
		return (error as Error).message;
	}
}

// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
function traceIdFor(given: string | undefined): string {
	if (given?.includes("Root=")) return given;
	const seconds = Math.floor(Date.now() / 1000).toString(16);
	const [root, parent] = [randomBytes(12).toString("hex"), randomBytes(8).toString("hex")];
	return `Root=1-${seconds}-${root};Parent=${parent};Sampled=0`;
}
