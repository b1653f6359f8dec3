import type { ServerResponse } from "node:http";
import type { ThrottleReason } from "../function.ts";

/**
 * An error of the Lambda service itself: the function did not run.
 *
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
 */
export type ServiceError = { readonly status: number; readonly type: string; readonly body: object };

export function functionNotFound(arn: string): ServiceError {
	return {
		status: 404,
		type: "ResourceNotFoundException",
		body: { Type: "User", Message: `Function not found: ${arn}` },
	};
}

export function throttled(reason: ThrottleReason): ServiceError {
	return {
		status: 429,
		type: "TooManyRequestsException",
		body: { Reason: reason, Type: "User", message: "Rate Exceeded." },
	};
}

export function requestTooLarge(length: number, invocationType: string, limit: number): ServiceError {
	const message = `${length} byte payload is too large for the ${invocationType} invocation type (limit ${limit} bytes)`;
	return { status: 413, type: "RequestTooLargeException", body: { Type: "User", message } };
}

export function invalidContent(detail: string): ServiceError {
	const message = `Could not parse request body into json: ${detail}`;
	return { status: 400, type: "InvalidRequestContentException", body: { Type: "User", message } };
}

export function invalidParameter(message: string): ServiceError {
	return { status: 400, type: "InvalidParameterValueException", body: { Type: "User", message } };
}

export function validationFailed(name: string, value: string, constraint: string): ServiceError {
	const message = `1 validation error detected: Value '${value}' at '${name}' failed to satisfy constraint: ${constraint}`;
	return { status: 400, type: "ValidationException", body: { message } };
}

export const unknownOperation: ServiceError = {
	status: 404,
	type: "UnknownOperationException",
	body: { message: "The Lambda on this machine knows Invoke and InvokeWithResponseStream only" },
};

export const serviceFailed: ServiceError = {
	status: 500,
	type: "ServiceException",
	body: { Type: "Service", Message: "The execution environment could not be started, or was closed" },
};

export function sendServiceError(response: ServerResponse, { status, type, body }: ServiceError): void {
	const bytes = Buffer.from(JSON.stringify(body));
	response
		.writeHead(status, { "Content-Type": "application/json", "Content-Length": bytes.length, "x-amzn-ErrorType": type })
		.end(bytes);
}
