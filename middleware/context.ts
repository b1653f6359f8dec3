import type { JsonRpcRequest, JsonRpcResponse } from "../src/jsonrpc.ts";

/** What a handler finds on `context.mcp` when the event is MCP's. */
export type McpContext = {
	/** The valid requests of the event; none for a notification or an invalid message. */
	readonly requests: readonly JsonRpcRequest[];
	/**
	 * What the authorizer of API Gateway, or a middleware before this one in its place, has found out about the caller:
	 * `event.requestContext.authorizer` with `jwt.claims`, `claims`, `lambda` or members of its own. `undefined` for any other source.
	 */
	readonly claims?: Readonly<Record<string, unknown>> | undefined;
	/**
	 * Forwards a request, one of `requests` or the handler's own, and resolves to its response. Never rejects: what goes
	 * wrong is a JSON-RPC error with `data.code`.
	 *
	 * A request that was forwarded is not forwarded again when the handler returns nothing: its caller gets that response.
	 * What is still forwarded when the handler has answered, and was not waited for, is ended.
	 */
	readonly forward: (request: JsonRpcRequest) => Promise<JsonRpcResponse>;
};

/**
 * Lambda's context (https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html), member for member that of
 * `@types/aws-lambda`, which need not be installed.
 */
export type LambdaContext = {
	callbackWaitsForEmptyEventLoop: boolean;
	functionName: string;
	functionVersion: string;
	invokedFunctionArn: string;
	memoryLimitInMB: string;
	awsRequestId: string;
	logGroupName: string;
	logStreamName: string;
	identity?: { cognitoIdentityId: string; cognitoIdentityPoolId: string } | undefined;
	clientContext?: LambdaClientContext | undefined;
	tenantId?: string | undefined;
	getRemainingTimeInMillis(): number;
	/** @deprecated */
	done(error?: Error, result?: unknown): void;
	/** @deprecated */
	fail(error: Error | string): void;
	/** @deprecated */
	succeed(messageOrObject: unknown, object?: unknown): void;
};

/** What an invocation brought beside its event. */
export type LambdaClientContext = {
	client: {
		installationId: string;
		appTitle: string;
		appVersionName: string;
		appVersionCode: string;
		appPackageName: string;
	};
	// biome-ignore lint/suspicious/noExplicitAny: it is the caller's, and @types/aws-lambda has it so
	custom?: any;
	env: { platformVersion: string; platform: string; make: string; model: string; locale: string };
};

/** Lambda's context as a handler behind the middleware sees it. */
export type McpLambdaContext = LambdaContext & {
	/** `undefined` when the event is not MCP's. */
	mcp?: McpContext | undefined;
};

type Clock = { readonly getRemainingTimeInMillis: () => number };

/** What is used of Lambda's context: tests and other hosts give less of it, and durable functions wrap it. */
export type AnyContext = {
	mcp?: McpContext | undefined;
	readonly awsRequestId?: string;
	readonly clientContext?: unknown;
	readonly getRemainingTimeInMillis?: () => number;
	readonly lambdaContext?: {
		readonly awsRequestId?: string;
		readonly clientContext?: unknown;
		readonly getRemainingTimeInMillis?: () => number;
	};
};

/** The context, or the one that it wraps, if it has a deadline; that of a test may have none. */
export function clockOf(context: AnyContext): Clock | undefined {
	return [context, context.lambdaContext].find(
		(candidate): candidate is Clock => typeof candidate?.getRemainingTimeInMillis === "function",
	);
}

/** Lambda's own id of the invocation. */
export function invocationIdOf({ awsRequestId, lambdaContext }: AnyContext): string | undefined {
	return awsRequestId ?? lambdaContext?.awsRequestId;
}

/** What the caller sent beside the event. */
export function clientContextOf({ clientContext, lambdaContext }: AnyContext): unknown {
	return clientContext ?? lambdaContext?.clientContext;
}
