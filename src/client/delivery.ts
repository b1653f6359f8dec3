import { type Interruption, startDeadline, untilInterrupted } from "../deadline.ts";
import type { JsonRpcNotification, JsonRpcRequest } from "../jsonrpc.ts";
import { tell } from "../observer.ts";
import { type Execution, LambdaTransportError } from "./errors.ts";
import { createExchange, type Exchange, type ExchangeListener, type Response } from "./exchange.ts";
import { type Invocation, invoke, invokeStreaming } from "./invocation.ts";
import { readLines } from "./lines.ts";
import type { ResolvedParameters } from "./parameters.ts";
import { withRetries } from "./retry.ts";
import type { Safety } from "./safety.ts";

export type Delivery = {
	readonly parameters: ResolvedParameters;
	readonly safety: Safety;
	/** Ends everything; its reason is a LambdaTransportError. */
	readonly signal: AbortSignal;
	readonly onMessage: (message: Response | JsonRpcNotification) => void;
	/** Told of what came and can neither be delivered nor fail the message. */
	readonly onProblem: (error: LambdaTransportError) => void;
};

/** Of a request: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const maxRequestBytes = 6 * 1024 * 1024;

/** Sends a message until it is answered, or has failed for good: then it rejects with a LambdaTransportError. */
export async function deliver(message: JsonRpcRequest | JsonRpcNotification, delivery: Delivery): Promise<void> {
	const { parameters, safety, signal, onMessage, onProblem } = delivery;
	const { name: functionName, observer, retry } = parameters;
	const startedAt = performance.now();
	const request = message.id === undefined ? undefined : (message as JsonRpcRequest);
	const sent = { functionName, method: message.method, id: request?.id };
	let exchange: Exchange;
	let awsRequestId: string | undefined;
	let attempts = 0;
	let execution: Execution = "none";

	const elapsedMs = (): number => Math.round(performance.now() - startedAt);
	const tellAnswer = (outcome: "result" | "error" | "accepted"): void =>
		tell(observer, "answer", { ...sent, outcome, attempts, elapsedMs: elapsedMs(), awsRequestId });
	/** With what is known of all attempts: that the last one was refused does not undo an earlier one. */
	const withFacts = (error: LambdaTransportError): LambdaTransportError => {
		execution = furthest(execution, error.execution);
		const facts = { attempts, elapsedMs: elapsedMs(), awsRequestId: error.awsRequestId ?? awsRequestId };
		return error.with({ ...sent, ...facts, execution });
	};
	const listener: ExchangeListener = {
		onNotification: onMessage,
		onResponse: (response) => {
			// Before the caller has it, who may call a tool at once.
			if (request && "result" in response) safety.learn(request, response.result);
			tellAnswer("result" in response ? "result" : "error");
			onMessage(response);
		},
		onProblem: (error) => onProblem(error.with({ ...sent, awsRequestId })),
	};

	const attempt = async (payload: string): Promise<void> => {
		attempts += 1;
		awsRequestId = undefined;
		exchange = createExchange(message, listener);
		try {
			await exchangeOnce(exchange, parameters, payload, signal, (given) => {
				awsRequestId = given;
			});
		} catch (error) {
			// What breaks after the response takes nothing away from it.
			if (exchange.isAnswered()) return;
			throw error instanceof LambdaTransportError ? withFacts(error) : error;
		}
	};
	const isSafe = (): boolean => {
		if (exchange.hasDelivered()) return false;
		const said = request && retry.isSafe?.(request);
		// Whatever else a function without types may give, such as a promise, is no permission.
		return said === undefined ? safety.isSafe(message) : said === true;
	};

	try {
		if (signal.aborted) throw signal.reason;
		const payload = encode(message);
		const bytes = Buffer.byteLength(payload);
		if (bytes > maxRequestBytes) throw tooLarge(bytes);
		tell(observer, "send", { ...sent, bytes });
		await withRetries(
			retry,
			{ isSafe, signal },
			() => attempt(payload),
			(event) => {
				tell(retry, "onRetry", { ...event, ...sent });
				tell(observer, "retry", { ...event, ...sent });
			},
		);
	} catch (thrown) {
		if (!(thrown instanceof LambdaTransportError)) throw thrown;
		const error = withFacts(thrown);
		tell(observer, "failure", { ...sent, error });
		throw error;
	}
	if (!request) tellAnswer("accepted");
}

const executions: readonly Execution[] = ["none", "unknown", "ran"];

function furthest(one: Execution, other: Execution): Execution {
	return executions.indexOf(one) > executions.indexOf(other) ? one : other;
}

async function exchangeOnce(
	exchange: Exchange,
	{ client, target, timeoutMs, streaming }: ResolvedParameters,
	payload: string,
	signal: AbortSignal,
	onRequestId: Invocation["onRequestId"],
): Promise<void> {
	const deadline = startDeadline({ timeoutMs, deadline: undefined, deadlineReserveMs: 0, signal });
	const invocation: Invocation = { client, target, payload, signal: deadline.signal, onRequestId };
	try {
		const received = streaming ? receiveStream(exchange, invocation) : receiveWhole(exchange, invocation);
		await untilInterrupted(received, deadline.signal, interrupted);
	} finally {
		deadline.clear();
	}
}

async function receiveWhole(exchange: Exchange, invocation: Invocation): Promise<void> {
	const result = await invoke(invocation);
	for (const message of messagesOf(result)) {
		if (invocation.signal.aborted) return;
		await exchange.receive(message);
	}
	exchange.end();
}

async function receiveStream(exchange: Exchange, invocation: Invocation): Promise<void> {
	for await (const line of readLines(invokeStreaming(invocation))) {
		if (invocation.signal.aborted) return;
		await exchange.receive(line);
	}
	exchange.end();
}

/** The result of a function that streams has a line for each message; that of any other may have line breaks in its JSON. */
function messagesOf(result: string): string[] {
	const lines = result.split("\n").filter((line) => line.trim() !== "");
	return lines.every((line) => line.startsWith("{") && line.trimEnd().endsWith("}")) ? lines : [result];
}

function encode(message: JsonRpcRequest | JsonRpcNotification): string {
	try {
		return JSON.stringify(message);
	} catch (cause) {
		throw new LambdaTransportError("INVALID_MESSAGE", "the message cannot be written as JSON", {}, cause);
	}
}

function tooLarge(bytes: number): LambdaTransportError {
	const what = `the request has ${bytes} bytes, and Lambda takes ${maxRequestBytes}; send less, or put the data where the server can fetch it`;
	return new LambdaTransportError("REQUEST_TOO_LARGE", what);
}

function interrupted({ code, limitMs, cause }: Interruption): LambdaTransportError {
	if (cause instanceof LambdaTransportError) return cause.with({ execution: "unknown" });
	const what = code === "TIMEOUT" ? `no answer within ${limitMs} ms; the function may still be running` : "interrupted";
	return new LambdaTransportError(code, what, { execution: "unknown" }, cause);
}
