import type { LambdaClient, LambdaClientConfig } from "@aws-sdk/client-lambda";
import { isObject } from "../jsonrpc.ts";
import { duration, type OptionRules, text, trueOrFalse, validateOptions } from "../validate.ts";
import type { LambdaSdk } from "./aws.ts";
import type { LambdaTransportObserver } from "./observer.ts";
import { type ResolvedRetryOptions, type RetryOptions, resolveRetryOptions } from "./retry.ts";

/** Which function to call, and how. */
export type LambdaFunctionParameters = {
	/** Name, partial or full ARN of the function, with or without a version or alias at its end. */
	readonly functionName: string;
	/**
	 * The function's region.
	 *
	 * @default the region of a full ARN, else what any program with the AWS SDK uses (AWS_REGION, the profile)
	 */
	readonly regionName?: string | undefined;
	/** A version or an alias of the function. */
	readonly qualifier?: string | undefined;
	/** Whose environment to use, of a function with tenant isolation. */
	readonly tenantId?: string | undefined;
	/** What the function finds in `context.clientContext`: at most 3,583 bytes as base64 of its JSON. */
	readonly clientContext?: Readonly<Record<string, unknown>> | undefined;
	/**
	 * A client to use instead of an own one; it stays open when the transport is closed. Its retries are off for the
	 * transport's calls. Not together with `regionName`, `endpoint` or `credentials`.
	 */
	readonly client?: Pick<LambdaClient, "send"> | undefined;
	/** Where the Lambda API is: a local Lambda, a VPC endpoint. @default that of the region, or AWS_ENDPOINT_URL_LAMBDA */
	readonly endpoint?: string | undefined;
	/** Credentials, or a function that gets them. @default what any program with the AWS SDK uses */
	readonly credentials?: LambdaClientConfig["credentials"];
	/**
	 * Milliseconds that one attempt may take until the function has answered.
	 *
	 * The MCP client has a limit of its own for all attempts together (60 s, unless it is told otherwise).
	 *
	 * @default 910000, ten seconds more than a function can run
	 */
	readonly timeoutMs?: number | undefined;
	/** Closes the transport. */
	readonly signal?: AbortSignal | undefined;
	/** When a message is sent again. */
	readonly retry?: RetryOptions | undefined;
	/** Told what the transport does. */
	readonly observer?: LambdaTransportObserver | undefined;
	/**
	 * Whether to call with InvokeWithResponseStream: notifications arrive while the tool still runs, and results may have up
	 * to 200 MB. The function must stream (`streamifyResponse` in the middleware); of another, the result comes as a whole.
	 *
	 * @default false
	 */
	readonly streaming?: boolean | undefined;
	/**
	 * Whether the client's notifications are sent to the function, an invocation each; `notifications/cancelled` never is.
	 * The functions of this package and of AWS's ignore them: `false` saves an invocation with each connection.
	 *
	 * @default true
	 */
	readonly sendNotifications?: boolean | undefined;
};

export type ResolvedParameters = {
	readonly target: {
		readonly FunctionName: string;
		readonly Qualifier: string | undefined;
		readonly TenantId: string | undefined;
		readonly ClientContext: string | undefined;
	};
	/** For messages: with the qualifier. */
	readonly name: string;
	/** The client; an own one is made when it is first asked for. */
	readonly client: (sdk: LambdaSdk) => Pick<LambdaClient, "send">;
	/** Closes the client, if it is an own one. */
	readonly destroyClient: () => void;
	readonly timeoutMs: number;
	readonly signal: AbortSignal | undefined;
	readonly retry: ResolvedRetryOptions;
	readonly observer: LambdaTransportObserver | undefined;
	readonly streaming: boolean;
	readonly sendNotifications: boolean;
};

/** https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_RequestParameters */
const maxClientContextBytes = 3583;

/** 15 minutes (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html) and some for the way. */
const defaultTimeoutMs = 910_000;

const defaultConnectionTimeoutMs = 5000;

/**
 * A call on a connection that its other end is just closing breaks, and nobody knows whether it ran: one that was not used
 * for so long is not used again, or for less where the other end announces less (`Keep-Alive: timeout`).
 */
const idleConnectionMs = 60_000;

const rules: OptionRules<LambdaFunctionParameters> = {
	functionName: { ...text, required: true },
	regionName: text,
	qualifier: text,
	tenantId: text,
	clientContext: {
		expected: `an object whose JSON has at most ${maxClientContextBytes} bytes as base64`,
		accepts: (value) => isObject(value) && fitsAsClientContext(value),
	},
	client: {
		expected: "a LambdaClient",
		accepts: (value) => typeof (value as Partial<LambdaClient> | null)?.send === "function",
	},
	endpoint: {
		expected: "a URL",
		accepts: (value) => typeof value === "string" && /^https?:\/\//i.test(value) && URL.canParse(value),
		// `localhost:3001` is a URL, whose scheme is "localhost".
		problem: (value) =>
			typeof value === "string" && URL.canParse(value)
				? {
						member: "",
						what: `must begin with http:// or https://; write ${JSON.stringify(`http://${value.slice(0, 100)}`)}`,
					}
				: undefined,
	},
	credentials: {
		expected: "credentials or a function that gets them",
		secret: true,
		accepts: (value) => typeof value === "function" || isObject(value),
	},
	timeoutMs: duration,
	signal: {
		expected: "an AbortSignal",
		accepts: (value) => typeof (value as Partial<AbortSignal> | null)?.addEventListener === "function",
	},
	retry: { expected: "an object", accepts: isObject },
	observer: { expected: "an object", accepts: isObject },
	streaming: trueOrFalse,
	sendNotifications: trueOrFalse,
};

/** Throws a TypeError that names the parameter which is wrong. */
export function resolveParameters(parameters: LambdaFunctionParameters): ResolvedParameters {
	validateOptions("parameters", parameters, rules);
	const { functionName, qualifier, clientContext } = parameters;
	return {
		target: {
			FunctionName: functionName,
			Qualifier: qualifier,
			TenantId: parameters.tenantId,
			ClientContext: clientContext && encodeClientContext(clientContext),
		},
		name: qualifier === undefined ? functionName : `${functionName}:${qualifier}`,
		...resolveClient(parameters),
		timeoutMs: parameters.timeoutMs ?? defaultTimeoutMs,
		signal: parameters.signal,
		retry: resolveRetryOptions(parameters.retry ?? {}),
		observer: parameters.observer,
		streaming: parameters.streaming ?? false,
		sendNotifications: parameters.sendNotifications ?? true,
	};
}

function resolveClient(parameters: LambdaFunctionParameters): Pick<ResolvedParameters, "client" | "destroyClient"> {
	const { functionName, client, regionName, endpoint, credentials } = parameters;
	if (client) {
		for (const [name, value] of Object.entries({ regionName, endpoint, credentials })) {
			if (value !== undefined) throw new TypeError(`parameters.${name} and parameters.client exclude each other`);
		}
		return { client: () => client, destroyClient: () => {} };
	}
	const [, arnRegion] = /^arn:[^:]+:lambda:([^:]+):/.exec(functionName) ?? [];
	if (!endpoint && regionName !== undefined && arnRegion !== undefined && regionName !== arnRegion) {
		throw new TypeError(
			`parameters.functionName is an ARN of ${arnRegion}, and parameters.regionName says ${regionName}; leave regionName out`,
		);
	}
	const region = regionName ?? arnRegion;
	let own: LambdaClient | undefined;
	return {
		client: (sdk) => {
			own ??= createClient(sdk, region, endpoint, credentials);
			return own;
		},
		destroyClient: () => own?.destroy(),
	};
}

function createClient(
	{ LambdaClient }: LambdaSdk,
	region: string | undefined,
	endpoint: string | undefined,
	credentials: LambdaClientConfig["credentials"],
): LambdaClient {
	return new LambdaClient({
		...(region === undefined ? {} : { region }),
		...(endpoint === undefined ? {} : { endpoint }),
		...(credentials === undefined ? {} : { credentials }),
		maxAttempts: 1,
		customUserAgent: "mcp-stdio-lambda",
		requestHandler: {
			connectionTimeout: defaultConnectionTimeoutMs,
			// A function may be silent for as long as it works: timeoutMs is the limit.
			socketTimeout: 0,
			// Of 50 sockets, the default, fifty slow tools would keep out everything else.
			httpAgent: { maxSockets: Number.POSITIVE_INFINITY, timeout: idleConnectionMs },
			httpsAgent: { maxSockets: Number.POSITIVE_INFINITY, timeout: idleConnectionMs },
		},
	});
}

function fitsAsClientContext(value: Record<string, unknown>): boolean {
	try {
		return encodeClientContext(value).length <= maxClientContextBytes;
	} catch {
		// What has no JSON.
		return false;
	}
}

function encodeClientContext(clientContext: Readonly<Record<string, unknown>>): string {
	return Buffer.from(JSON.stringify(clientContext)).toString("base64");
}
