import type {
	InvokeCommand,
	InvokeCommandInput,
	InvokeWithResponseStreamCommand,
	LambdaClient,
} from "@aws-sdk/client-lambda";
import { type LambdaSdk, loadLambdaSdk } from "./aws.ts";
import { LambdaTransportError } from "./errors.ts";
import { functionFailure, unmarkedFailure } from "./function-error.ts";
import { invokeFailure, messageOf } from "./invoke-error.ts";

/** One call of a function with one message. */
export type Invocation = {
	/** Gives the client; asked once the AWS SDK is loaded. */
	readonly client: (sdk: LambdaSdk) => Pick<LambdaClient, "send">;
	readonly target: Pick<InvokeCommandInput, "Qualifier" | "TenantId" | "ClientContext"> & {
		readonly FunctionName: string;
	};
	/** JSON. */
	readonly payload: string;
	readonly signal: AbortSignal;
	/** Told of the AWS request id as soon as it is known. */
	readonly onRequestId: (awsRequestId: string | undefined) => void;
};

/** Calls the function and gives its whole result, as text; rejects with a LambdaTransportError. */
export async function invoke({ client, target, payload, signal, onRequestId }: Invocation): Promise<string> {
	const sdk = await loadLambdaSdk();
	const command = new sdk.InvokeCommand({ ...target, InvocationType: "RequestResponse", Payload: payload });
	const progress = follow(command);
	const output = await attempt(() => client(sdk).send(command, { abortSignal: signal }), progress);
	onRequestId(output.$metadata?.requestId);
	// Of an empty body the AWS SDK makes null, whatever its types say.
	const result = output.Payload ? Buffer.from(output.Payload).toString() : "";
	if (output.FunctionError !== undefined) throw functionFailure(output.FunctionError, result);
	const unmarked = unmarkedFailure(result);
	if (unmarked) throw unmarked;
	return result;
}

/** Calls the function and gives the pieces of its result as they come; rejects with a LambdaTransportError. */
export async function* invokeStreaming(invocation: Invocation): AsyncGenerator<Uint8Array, void> {
	const { client, target, payload, signal, onRequestId } = invocation;
	const sdk = await loadLambdaSdk();
	const command = new sdk.InvokeWithResponseStreamCommand({
		...target,
		InvocationType: "RequestResponse",
		Payload: Buffer.from(payload),
	});
	const progress = follow(command);
	const abandoned = new AbortController();
	const abortSignal = AbortSignal.any([signal, abandoned.signal]);
	let isComplete = false;
	try {
		const output = await attempt(() => client(sdk).send(command, { abortSignal }), progress);
		onRequestId(output.$metadata?.requestId);
		if (!output.EventStream) throw noStream();
		for await (const { PayloadChunk, InvokeComplete } of output.EventStream) {
			if (PayloadChunk?.Payload) yield PayloadChunk.Payload;
			if (!InvokeComplete) continue;
			if (InvokeComplete.ErrorCode) {
				throw functionFailure(InvokeComplete.ErrorCode, InvokeComplete.ErrorDetails ?? "");
			}
			isComplete = true;
		}
	} catch (error) {
		if (!(error instanceof LambdaTransportError)) throw streamBroken(error);
		// The AWS SDK reads the first frame before it gives the stream.
		throw error.httpStatusCode === 200 ? streamBroken(error.cause).with({ awsRequestId: error.awsRequestId }) : error;
	} finally {
		// The AWS SDK leaves the connection open when its stream is left.
		if (!isComplete) abandoned.abort();
	}
	if (!isComplete) throw streamBroken();
}

function noStream(): LambdaTransportError {
	const what = "its client gave no stream; give one of the AWS SDK that is installed beside this package";
	return new LambdaTransportError("CLIENT_MISCONFIGURED", what, { execution: "unknown" });
}

function streamBroken(cause?: unknown): LambdaTransportError {
	const detail = cause instanceof Error ? ` (${messageOf(cause)})` : "";
	const what = `the stream of its result broke off before its end${detail}; the function may still be running`;
	return new LambdaTransportError("STREAM_BROKEN", what, { execution: "unknown" }, cause);
}

/** What the AWS SDK sees of a failure: nothing that it would try again for. */
class Attempted extends Error {
	readonly failure: unknown;
	constructor(failure: unknown) {
		super("This command is sent once");
		this.failure = failure;
	}
}

/**
 * A middleware that keeps the AWS SDK, which knows nothing of tools, from sending a command again, also where the client is
 * somebody else's and retries its own.
 */
function sendOnce<A, R>(next: (args: A) => Promise<R>): (args: A) => Promise<R> {
	let attempted: Attempted | undefined;
	return async (args) => {
		// A retry strategy of the client's owner may retry whatever it likes.
		if (attempted) throw attempted;
		try {
			return await next(args);
		} catch (error) {
			attempted = new Attempted(error);
			throw attempted;
		}
	};
}

const sendOncePlace = { name: "sendOnceMiddleware", relation: "after", toMiddleware: "retryMiddleware" } as const;

/** How far the AWS SDK has come with a command; neither is told of a client that is not the AWS SDK's. */
type Progress = { isBegun: boolean; isSent: boolean };

/** Adds to a command what keeps it from being sent again, and what notes its progress. */
function follow(command: InvokeCommand | InvokeWithResponseStreamCommand): Progress {
	// What is added reads nothing of either command.
	const middlewareStack = command.middlewareStack as InvokeCommand["middlewareStack"];
	const progress: Progress = { isBegun: false, isSent: false };
	const note =
		(step: keyof Progress) =>
		<A, R>(next: (args: A) => Promise<R>) =>
		(args: A): Promise<R> => {
			progress[step] = true;
			return next(args);
		};
	middlewareStack.add(note("isBegun"), { step: "initialize", priority: "high" });
	middlewareStack.addRelativeTo(sendOnce, sendOncePlace);
	middlewareStack.add(note("isSent"), { step: "deserialize", priority: "low" });
	return progress;
}

async function attempt<T>(send: () => Promise<T>, progress: Progress): Promise<T> {
	let isReturned = false;
	try {
		const sending = send();
		isReturned = true;
		return await sending;
	} catch (error) {
		// What is thrown in place of a promise was thrown before anything could be sent.
		const isUnsent = !isReturned || (progress.isBegun && !progress.isSent);
		throw invokeFailure(error instanceof Attempted ? error.failure : error, isUnsent);
	}
}
