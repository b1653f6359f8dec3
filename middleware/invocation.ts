import { startDeadline, untilInterrupted } from "../src/deadline.ts";
import { McpStdioError } from "../src/errors.ts";
import type { DecodedEvent } from "../src/events/direct.ts";
import {
	isObject,
	type JsonRpcNotification,
	type JsonRpcRequest,
	type JsonRpcResponse,
	type ReceivedMessage,
	receiveMessage,
} from "../src/jsonrpc.ts";
import { type Observer, tell } from "../src/observer.ts";
import type { StdioServerParams } from "../src/params.ts";
import type { Invocation, Reports } from "../src/powertools/reports.ts";
import { runStdioRequest } from "../src/run.ts";
import type { AnyContext, McpContext } from "./context.ts";
import type { ForwardOptions } from "./options.ts";
import type { ParamsSource } from "./server-params.ts";

/** What all invocations share. */
export type Bridge = {
	readonly params: ParamsSource;
	readonly options: ForwardOptions;
	/** Told by the core. */
	readonly observer: Observer;
	/** Told of what fails before the core is reached; `reports` hear of it in their own way. */
	readonly guest: Observer | undefined;
	readonly reports: Reports | undefined;
};

/** One invocation of the function with an MCP event. */
export type McpInvocation = {
	readonly context: McpContext;
	/** Makes the result: what the handler answered or forwarded, and for everything else what the server answers. */
	readonly answer: (given: unknown) => Promise<unknown>;
	/** Makes the result when everything failed for one reason. */
	readonly fail: (error: McpStdioError) => unknown;
	/** Ends what is still forwarded and can be ended; resolves to whether there was any. */
	readonly abort: (reason: unknown) => Promise<boolean>;
};

/** What an invocation has that answers while it works. */
export type Streaming = { readonly onNotification: (notification: JsonRpcNotification) => void };

export function startInvocation(
	bridge: Bridge,
	{ messages, encode }: DecodedEvent,
	invocation: Invocation,
	request: { readonly context: AnyContext },
	streaming?: Streaming,
): McpInvocation {
	const { options, reports, guest } = bridge;
	const exposeStderr = options.exposeStderr ?? false;
	const forwarded = new Map<JsonRpcRequest["id"], Promise<JsonRpcResponse>>();
	const underWay = new Set<Promise<JsonRpcResponse>>();
	let controller: AbortController | undefined;
	let made: StdioServerParams | Promise<StdioServerParams> | undefined;

	function refuse(error: McpStdioError, id: JsonRpcResponse["id"], refused?: JsonRpcRequest): JsonRpcResponse {
		const response = error.toResponse(id, exposeStderr);
		tell(guest, "failure", {
			server: bridge.params.name,
			error,
			requestId: id ?? undefined,
			method: refused?.method,
		});
		reports?.answered(refused, response, invocation, error);
		return response;
	}

	async function forward(message: JsonRpcRequest, signal: AbortSignal | undefined): Promise<JsonRpcResponse> {
		const deadline = clockOf(request.context);
		const reported = reports?.begin(message, invocation);
		const correlation = reported?.correlation;
		let response: JsonRpcResponse | undefined;
		try {
			made ??= bridge.params.make(request);
			const params = made instanceof Promise ? await beforeDeadline(made, deadline, signal) : made;
			response = await runStdioRequest(params, reported?.request ?? message, {
				...options,
				observer: bridge.observer,
				deadline,
				signal,
				onNotification: streaming?.onNotification,
				correlation,
			});
		} catch (error) {
			const failure = asFailure(error);
			const { id: requestId, method } = message;
			tell(bridge.observer, "failure", { server: bridge.params.name, error: failure, requestId, method, correlation });
			response = failure.toResponse(requestId, exposeStderr);
		}
		reported?.end(response as JsonRpcResponse);
		return response as JsonRpcResponse;
	}

	function beforeDeadline(
		params: Promise<StdioServerParams>,
		deadline: AnyClock | undefined,
		signal: AbortSignal | undefined,
	): Promise<StdioServerParams> {
		const { timeoutMs, deadlineReserveMs = defaultDeadlineReserveMs } = options;
		const clock = startDeadline({ timeoutMs, deadline, deadlineReserveMs, signal });
		return untilInterrupted(params, clock.signal, ({ code, limitMs }) => {
			const what = `The params of the MCP server were not made within ${Math.round(limitMs)} ms`;
			return new McpStdioError(code, what, { data: { phase: "params" } });
		}).finally(clock.clear);
	}

	function forwardForHandler(message: JsonRpcRequest): Promise<JsonRpcResponse> {
		const received = receiveMessage(message);
		if (received.kind === "notification") {
			return Promise.resolve(refuse(invalidMessage("forward takes a request, which has an id"), null));
		}
		if (received.kind === "invalid") return Promise.resolve(refuse(invalidMessage(received.problem), received.id));
		const response = forwardAbortably(received.request);
		forwarded.set(received.request.id, response);
		return response;
	}

	function forwardAbortably(message: JsonRpcRequest): Promise<JsonRpcResponse> {
		controller ??= new AbortController();
		const response = forward(message, controller.signal).finally(() => underWay.delete(response));
		underWay.add(response);
		return response;
	}

	function answerRequest(message: JsonRpcRequest, given: readonly unknown[]): Promise<JsonRpcResponse> {
		const own = given.filter(isResponse);
		if (own.length < given.length) {
			const what = "The handler returned something that is no JSON-RPC response; return one, or nothing";
			return Promise.resolve(refuse(new McpStdioError("INVALID_ANSWER", what), message.id, message));
		}
		const sent = forwarded.get(message.id);
		// The only answer to the only request is meant for it, whatever its id: it may come from a cache.
		const answer = requests.length === 1 ? own[0] : own.find(({ id }) => id === message.id);
		// Middy waits for an answer, and so ends none, except where it reads one that is not complete.
		if (!answer) return sent ?? (streaming ? forwardAbortably(message) : forward(message, undefined));
		const response = answer.id === message.id ? answer : { ...answer, id: message.id };
		if (!sent) reports?.answered(message, response, invocation);
		return Promise.resolve(response);
	}

	function answerMessage(message: ReceivedMessage, given: readonly unknown[]): Promise<JsonRpcResponse>[] {
		if (message.kind === "request") return [answerRequest(message.request, given)];
		if (message.kind === "notification") return [];
		return [Promise.resolve(refuse(invalidMessage(message.problem), message.id))];
	}

	function fail(error: McpStdioError): unknown {
		return encode(
			messages.flatMap((message) => {
				if (message.kind === "request") return [refuse(error, message.request.id, message.request)];
				return message.kind === "invalid" ? [refuse(error, message.id)] : [];
			}),
		);
	}

	async function abort(reason: unknown): Promise<boolean> {
		if (underWay.size === 0) return false;
		controller?.abort(reason);
		await Promise.all(underWay);
		return true;
	}

	const requests = messages.flatMap((message) => (message.kind === "request" ? [message.request] : []));
	return {
		context: { requests, forward: forwardForHandler },
		async answer(given) {
			const list = given === undefined || given === null ? [] : Array.isArray(given) ? given : [given];
			// What Middy's early timeout gives in place of the handler's answer need not be ours.
			if (!list.every(isResponse) && (await abort("The handler was given up"))) return fail(givenUp());
			return encode(await Promise.all(messages.flatMap((message) => answerMessage(message, list))));
		},
		fail,
		abort,
	};
}

function invalidMessage(problem: string): McpStdioError {
	return new McpStdioError("INVALID_MESSAGE", `Invalid request: ${problem}`, { data: { phase: "validate" } });
}

/** What a caller is told whose handler ended, or was ended, before what it had forwarded was answered. */
export function givenUp(cause?: unknown): McpStdioError {
	const what = "The handler ended, or was given up by Middy's early timeout, while the MCP server was still working";
	return new McpStdioError("TIMEOUT", what, { data: { phase: "request" }, cause });
}

/** What went wrong, as a failure of the bridge. */
export function asFailure(error: unknown): McpStdioError {
	if (error instanceof McpStdioError) return error;
	const what = "The function failed while it handled an MCP request; its log has the cause";
	return new McpStdioError("INTERNAL_ERROR", what, { cause: error });
}

type AnyClock = { readonly getRemainingTimeInMillis: () => number };

const defaultDeadlineReserveMs = 500;

/** The context, or the one that it wraps, if it has a deadline; that of a test may have none. */
function clockOf(context: AnyContext): AnyClock | undefined {
	return [context, context.lambdaContext].find((candidate): candidate is AnyClock => hasClock(candidate));
}

function hasClock(context: unknown): boolean {
	return typeof (context as Partial<AnyClock> | undefined)?.getRemainingTimeInMillis === "function";
}

function isResponse(value: unknown): value is JsonRpcResponse {
	return isObject(value) && value.jsonrpc === "2.0" && ("result" in value || isObject(value.error));
}
