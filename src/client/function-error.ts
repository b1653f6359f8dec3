import { isObject } from "../jsonrpc.ts";
import { LambdaTransportError, type LambdaTransportErrorCode } from "./errors.ts";

type KnownError = {
	readonly code: LambdaTransportErrorCode;
	readonly matches: (errorType: string, errorMessage: string) => boolean;
	readonly say: (errorMessage: string) => string;
};

/**
 * What Lambda puts in the payload when the function could not finish, newest form first; older runtimes give only an
 * `errorMessage`. https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
 */
const knownErrors: readonly KnownError[] = [
	{
		code: "FUNCTION_TIMEOUT",
		matches: (type, message) => type === "Sandbox.Timedout" || timedOut.test(message),
		say: (message) => {
			const seconds = timedOut.exec(message)?.[1];
			const limit = seconds === undefined ? "its timeout" : `its timeout of ${Number(seconds)} s`;
			return `it ran longer than ${limit}; raise the function's timeout, or let it answer before its deadline`;
		},
	},
	{
		code: "FUNCTION_OUT_OF_MEMORY",
		matches: (type, message) => type === "Runtime.OutOfMemory" || /signal: killed/.test(message),
		say: () => "it was killed, most likely for using more memory than it has; raise the function's memory",
	},
	{
		code: "FUNCTION_EXITED",
		matches: (type, message) =>
			/^Runtime\.(ExitError|NodejsExit|TruncatedResponse)$/.test(type) || /exited (with|without|before)/.test(message),
		say: (message) =>
			`its process ended while it worked${message === "" ? "" : ` (${detailOf(message)})`}; the function's log has the cause`,
	},
	{
		code: "RESPONSE_TOO_LARGE",
		matches: (type, message) =>
			type === "Function.ResponseSizeTooLarge" || /payload size exceeded maximum allowed/i.test(message),
		say: (message) =>
			`its result is too large (${detailOf(message)}); stream it (streaming: true on both sides), or return less`,
	},
];

const timedOut = /Task timed out after ([\d.]+) seconds/;

/**
 * What a function's error says.
 *
 * `kind` is `FunctionError` of a buffered invocation, `ErrorCode` of a streamed one; `payload` its `Payload` or
 * `ErrorDetails`, which is JSON or, in a stream, text.
 */
export function functionFailure(kind: string, payload: string): LambdaTransportError {
	const { errorType = /^(Unh|H)andled$/.test(kind) ? "" : kind, errorMessage = "" } = readPayload(payload);
	// What a handler throws may say anything: only Lambda's own words are read.
	const isLambdas = errorType === "" || /^(Runtime|Sandbox|Function)\./.test(errorType);
	const known = isLambdas ? knownErrors.find(({ matches }) => matches(errorType, errorMessage)) : undefined;
	const data = { execution: "ran", awsErrorName: errorType || kind } as const;
	if (known) return new LambdaTransportError(known.code, known.say(errorMessage), data);
	const detail = [errorType, errorMessage].filter((part) => part !== "").join(": ") || shorten(payload) || kind;
	return new LambdaTransportError("FUNCTION_ERROR", `it failed with ${shorten(detail)}; its log has more`, data);
}

/**
 * What a result says that is a function's error though Lambda did not mark it as one: AWS's interface emulator and old runtimes
 * leave out the header. `undefined` for everything else: a JSON-RPC message has other members.
 */
export function unmarkedFailure(result: string): LambdaTransportError | undefined {
	if (result.length > longestError || result.startsWith('{"jsonrpc"')) return undefined;
	if (/^(\S+ \S+ )?Task timed out after [\d.]{1,20} seconds\s*$/.test(result))
		return functionFailure("Unhandled", result);
	const { errorType, errorMessage } = result.includes('"errorMessage"') ? readPayload(result) : {};
	const isError = errorMessage !== undefined && (errorType !== undefined || timedOut.test(errorMessage));
	return isError && isErrorAlone(result) ? functionFailure("Unhandled", result) : undefined;
}

/** With a stack; what is longer was written by the handler. */
const longestError = 64 * 1024;

const errorMembers: ReadonlySet<string> = new Set([
	"errorType",
	"errorMessage",
	"trace",
	"stackTrace",
	"cause",
	"requestId",
]);

function isErrorAlone(json: string): boolean {
	return Object.keys(JSON.parse(json)).every((name) => errorMembers.has(name));
}

function readPayload(payload: string): { readonly errorType?: string; readonly errorMessage?: string } {
	try {
		const value: unknown = JSON.parse(payload);
		if (!isObject(value)) return {};
		const { errorType, errorMessage } = value;
		return {
			...(typeof errorType === "string" ? { errorType } : {}),
			...(typeof errorMessage === "string" ? { errorMessage } : {}),
		};
	} catch {
		return { errorMessage: payload };
	}
}

/** The message without the request id that Lambda puts in front. */
function detailOf(message: string): string {
	return shorten(message.replace(/^RequestId: \S+ (Error: )?/, ""));
}

/** Errors are read in logs, line by line: megabytes, line breaks and what moves a terminal's cursor are not. */
export function shorten(text: string): string {
	const start = text
		.slice(0, 300)
		.replaceAll(/[\s\p{Cc}]+/gu, " ")
		.trim();
	return text.length > 300 ? `${start}…` : start;
}
