import type { IncomingHttpHeaders } from "node:http";

/** What the handler gets as its second argument: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
export type RuntimeContext = {
	readonly clientContext: unknown;
	readonly identity: unknown;
	readonly invokedFunctionArn: string | undefined;
	readonly awsRequestId: string;
	readonly tenantId: string | undefined;
	readonly xRayTraceId: string | undefined;
	readonly functionName: string | undefined;
	readonly functionVersion: string | undefined;
	readonly memoryLimitInMB: string | undefined;
	readonly logGroupName: string | undefined;
	readonly logStreamName: string | undefined;
	getRemainingTimeInMillis(): number;
};

export function createContext(headers: IncomingHttpHeaders): RuntimeContext {
	const deadline = Number(header(headers, "lambda-runtime-deadline-ms"));
	return {
		clientContext: parse(header(headers, "lambda-runtime-client-context")),
		identity: parse(header(headers, "lambda-runtime-cognito-identity")),
		invokedFunctionArn: header(headers, "lambda-runtime-invoked-function-arn"),
		awsRequestId: header(headers, "lambda-runtime-aws-request-id") ?? "",
		tenantId: header(headers, "lambda-runtime-aws-tenant-id"),
		xRayTraceId: header(headers, "lambda-runtime-trace-id"),
		functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
		functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
		memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
		logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
		logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
		getRemainingTimeInMillis: () => deadline - Date.now(),
	};
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
	const value = headers[name];
	return typeof value === "string" && value !== "" ? value : undefined;
}

// The bytes of a header are UTF-8 and arrive as latin1.
function parse(value: string | undefined): unknown {
	return value === undefined ? undefined : JSON.parse(Buffer.from(value, "latin1").toString());
}
