import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { RuntimeInvocation } from "../environment/runtime-api.ts";
import type { LocalFunction } from "../function.ts";
import { readBody } from "../http-body.ts";
import { findFunction } from "./function-name.ts";
import { invalidContent, invalidParameter, requestTooLarge, type ServiceError } from "./service-error.ts";
import { traceIdFor } from "./trace.ts";

/**
 * The largest request, by invocation type: 6 MiB and 1 MiB.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
const maxRequestBytes: { readonly [type in InvocationType]: number } = {
	RequestResponse: 6 * 1024 * 1024,
	Event: 1024 * 1024,
	DryRun: 6 * 1024 * 1024,
};

/** Of the base64 text: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_RequestParameters */
const maxClientContextBytes = 3583;

export type InvocationType = "RequestResponse" | "Event" | "DryRun";

/** A request that is in order. */
export type InvokeRequest = {
	readonly fn: LocalFunction;
	readonly type: InvocationType;
	readonly invocation: RuntimeInvocation;
	/** Whether the end of the log is asked for. */
	readonly wantsLog: boolean;
};

/**
 * Reads a request to run a function, and sets the headers that its answer has in any case.
 *
 * @param types the invocation types that the operation knows
 */
export async function readInvokeRequest(
	functions: ReadonlyMap<string, LocalFunction>,
	request: IncomingMessage,
	response: ServerResponse,
	functionName: string,
	query: URLSearchParams,
	types: readonly InvocationType[],
): Promise<InvokeRequest | ServiceError> {
	const requestId = randomUUID();
	response.setHeader("x-amzn-RequestId", requestId);
	const given = header(request, "x-amz-invocation-type") ?? "RequestResponse";
	const type = types.find((known) => known === given);
	const limit = maxRequestBytes[type ?? "RequestResponse"];
	const body = await readBody(request, limit);

	if (!type) return invalidParameter(`InvocationType ${given} is not supported`);
	const found = findFunction(functions, functionName, query.get("Qualifier") ?? undefined);
	if ("status" in found) return found;
	const tenantId = header(request, "x-amz-tenant-id");
	const tenantProblem = findTenantProblem(found.fn.resolved.tenantIsolation, tenantId);
	if (tenantProblem !== undefined) return invalidParameter(tenantProblem);
	if (body.bytes === undefined) return requestTooLarge(body.length, type, limit);
	const clientContext = decodeClientContext(header(request, "x-amz-client-context"));
	if (typeof clientContext === "object") return clientContext;
	const payload = body.length === 0 ? Buffer.from("{}") : body.bytes;
	const problem = findJsonProblem(payload);
	if (problem !== undefined) return invalidContent(problem);

	response.setHeader("X-Amz-Executed-Version", "$LATEST");
	const traceId = traceIdFor(header(request, "x-amzn-trace-id"));
	if (type !== "DryRun") response.setHeader("X-Amzn-Trace-Id", traceId);
	return {
		fn: found.fn,
		type,
		wantsLog: header(request, "x-amz-log-type") === "Tail",
		invocation: {
			requestId,
			invokedFunctionArn: found.invokedArn,
			traceId,
			tenantId,
			clientContext: type === "RequestResponse" ? clientContext : undefined,
			payload,
		},
	};
}

function header(request: IncomingMessage, name: string): string | undefined {
	const value = request.headers[name];
	return typeof value === "string" && value !== "" ? value : undefined;
}

// https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation-invoke.html
function findTenantProblem(isIsolated: boolean, tenantId: string | undefined): string | undefined {
	if (isIsolated && tenantId === undefined) {
		return "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.";
	}
	if (!isIsolated && tenantId !== undefined) {
		return "The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.";
	}
	return tenantId === undefined || /^[\w.:/=+\-@ ]{1,256}$/.test(tenantId) ? undefined : "The tenant ID is not valid.";
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
