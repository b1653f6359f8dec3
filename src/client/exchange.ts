import { setImmediate } from "node:timers/promises";
import {
	isObject,
	isRequestId,
	type JsonRpcErrorResponse,
	type JsonRpcNotification,
	type JsonRpcRequest,
} from "../jsonrpc.ts";
import { LambdaTransportError } from "./errors.ts";
import { shorten } from "./function-error.ts";

/** A response as it is delivered: with the id of the request. */
export type Response = { readonly jsonrpc: "2.0"; readonly id: JsonRpcRequest["id"] } & (
	| { readonly result: Record<string, unknown> }
	| Pick<JsonRpcErrorResponse, "error">
);

/** What a function answers to one message. */
export type Exchange = {
	/** Takes a piece of the result that should be one message; rejects with INVALID_RESPONSE when it is none. */
	readonly receive: (json: string) => Promise<void>;
	/** Checks that nothing is missing, once the whole result was received; throws INVALID_RESPONSE. */
	readonly end: () => void;
	/** Whether notifications were delivered: another attempt would deliver them again. */
	readonly hasDelivered: () => boolean;
	/** Whether the response was delivered: there is nothing more to come, or to fail. */
	readonly isAnswered: () => boolean;
};

export type ExchangeListener = {
	readonly onNotification: (notification: JsonRpcNotification) => void;
	readonly onResponse: (response: Response) => void;
	/** Told of what can neither be delivered nor makes the exchange fail. */
	readonly onProblem: (error: LambdaTransportError) => void;
};

export function createExchange(sent: JsonRpcRequest | JsonRpcNotification, listener: ExchangeListener): Exchange {
	return sent.id === undefined ? forNotification(listener) : forRequest(sent as JsonRpcRequest, listener);
}

type Stranger = Readonly<Record<string, unknown>>;

/** A request is answered with any number of notifications, and then a response. */
function forRequest({ id }: JsonRpcRequest, { onNotification, onResponse, onProblem }: ExchangeListener): Exchange {
	let isAnswered = false;
	let hasDelivered = false;

	async function receive(json: string): Promise<void> {
		if (isAnswered) return;
		const message = parse(json);
		if (!isObject(message) || message.jsonrpc !== "2.0") throw invalidResponse(describeStranger(message), json);
		if (typeof message.method !== "string") {
			const response = asResponse(id, message, json);
			isAnswered = true;
			onResponse(response);
		} else if (message.id === undefined) {
			hasDelivered = true;
			onNotification(message as JsonRpcNotification);
			// The SDKs handle a notification some microtasks later, and by then know no progress of what is answered.
			await setImmediate();
		} else {
			onProblem(invalidResponse("it sent a request, which nobody here can answer", json));
		}
	}

	return {
		receive,
		end: () => {
			if (!isAnswered) throw invalidResponse("its result has no response", "");
		},
		hasDelivered: () => hasDelivered,
		isAnswered: () => isAnswered,
	};
}

/** A notification is answered with nothing of interest: `{}`. */
function forNotification({ onProblem }: ExchangeListener): Exchange {
	return {
		receive: async (json) => {
			if (/"error"\s*:/.test(json)) onProblem(invalidResponse("it answered a notification with an error", json));
		},
		end: () => {},
		hasDelivered: () => false,
		isAnswered: () => false,
	};
}

/** Only with the members that JSON-RPC has: with others, the SDKs take a response for none, and wait on. */
function asResponse(id: JsonRpcRequest["id"], { error, result, id: answered }: Stranger, json: string): Response {
	// An error without the id, or with another, is about the only request that the function got.
	if (isObject(error)) {
		const isError = Number.isSafeInteger(error.code) && typeof error.message === "string";
		if (!isError) throw invalidResponse("its error lacks an integer code or a text as message", json);
		return { jsonrpc: "2.0", id, error: error as JsonRpcErrorResponse["error"] };
	}
	if (!isObject(result)) throw invalidResponse("its result has neither a result nor an error", json);
	if (!isMeta(result._meta)) throw invalidResponse("the _meta of its result is not as MCP has it", json);
	if (answered !== id) {
		throw invalidResponse(`it answered request ${shown(answered)}, not ${shown(id)}`, json);
	}
	return { jsonrpc: "2.0", id, result };
}

function shown(id: unknown): string {
	if (typeof id === "string") return JSON.stringify(id.slice(0, 100));
	return typeof id === "object" && id !== null ? "an object" : String(id);
}

/** What SDK 1 checks before it takes a message for a response. */
function isMeta(meta: unknown): boolean {
	if (meta === undefined) return true;
	if (!isObject(meta)) return false;
	const { progressToken, "io.modelcontextprotocol/related-task": task } = meta;
	return (
		(progressToken === undefined || isRequestId(progressToken)) &&
		(task === undefined || (isObject(task) && typeof task.taskId === "string"))
	);
}

function parse(json: string): unknown {
	try {
		return JSON.parse(json);
	} catch {
		throw invalidResponse("its result is not JSON", json);
	}
}

function describeStranger(message: unknown): string {
	return `its result is no JSON-RPC message; ${guessWhatItIs(message)}`;
}

function guessWhatItIs(message: unknown): string {
	if (isObject(message) && typeof message.statusCode === "number") {
		return "it answers HTTP events, not direct invocations";
	}
	// Of a text that a function returns, Lambda makes JSON once more.
	if (typeof message === "string" && message.startsWith('{"jsonrpc":')) {
		return "it is JSON in a text: streamifyResponse is set, and Middy does not stream";
	}
	return "is it an MCP function?";
}

function invalidResponse(problem: string, json: string): LambdaTransportError {
	const what = json === "" ? problem : `${problem}: ${shorten(json)}`;
	return new LambdaTransportError("INVALID_RESPONSE", what, { execution: "ran" });
}
