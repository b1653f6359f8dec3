import { startDeadline, untilInterrupted } from "../src/deadline.ts";
import { McpStdioError } from "../src/errors.ts";
import type { DecodedEvent } from "../src/events/event.ts";
import {
	isObject,
	type JsonRpcNotification,
	type JsonRpcRequest,
	type JsonRpcResponse,
	type ReceivedMessage,
	receiveMessage,
} from "../src/jsonrpc.ts";
import { type Observer, tell } from "../src/observer.ts";
import type { ResolvedRequestOptions } from "../src/options.ts";
import type { StdioServerParams } from "../src/params.ts";
import type { Invocation, Reports } from "../src/powertools/reports.ts";
import { runResolved } from "../src/run.ts";
import { isLarge } from "../src/session/answers.ts";
import { type AnyContext, clockOf, type McpContext } from "./context.ts";
import { createResultCheck } from "./result.ts";
import type { ParamsSource } from "./server-params.ts";

/** What all invocations share. */
export type Bridge = {
	readonly params: ParamsSource;
	/** Resolved once; a request brings its own deadline, signal and correlation. */
	readonly options: ResolvedRequestOptions;
	/** Told of what fails before the core is reached; `reports` hear of it in their own way. */
	readonly guest: Observer | undefined;
	readonly reports: Reports | undefined;
};

/** What an invocation with messages is about. */
export type Received = Extract<DecodedEvent, { messages: unknown }>;

/** One invocation of the function with an MCP event. */
export type McpInvocation = {
	readonly context: McpContext;
	/** What the handler answered or forwarded, and for everything else what the server answers: one for each message that is no notification. */
	readonly answer: (given: unknown) => Promise<readonly JsonRpcResponse[]>;
	/** The responses when everything failed for one reason. */
	readonly fail: (error: McpStdioError) => readonly JsonRpcResponse[];
	/** Ends what is still forwarded and can be ended; resolves to whether there was any. */
	readonly abort: (reason: unknown) => Promise<boolean>;
};

export type InvocationOptions = {
	readonly onNotification: ((notification: JsonRpcNotification) => void) | undefined;
	/** Whether the result is read while it is written: what is forwarded is then ended when its reader goes. */
	readonly isStreamed: boolean;
};

type Forwarded = { readonly response: Promise<JsonRpcResponse>; readonly end: (reason: unknown) => void };

export function startInvocation(
	bridge: Bridge,
	received: Received,
	invocation: Invocation,
	request: { readonly context: AnyContext },
	options: InvocationOptions,
): McpInvocation {
	const { messages, reply } = received;
	const refuse = createRefusals(bridge, invocation);
	const problemWith = createResultCheck(reply, options.isStreamed);
	// Measuring costs as much as writing: short ones need it only where many make one result.
	const isBatch = messages.length > 1;
	const forwarder = createForwarder(bridge, invocation, request, options, (response) =>
		isBatch || isLarge(response) ? problemWith(response) : undefined,
	);
	const forwarded = new Map<JsonRpcRequest["id"], Forwarded>();
	const requests = messages.flatMap((message) => (message.kind === "request" ? [message.request] : []));

	function forwardForHandler(message: JsonRpcRequest): Promise<JsonRpcResponse> {
		const read = receiveMessage(message);
		if (read.kind === "notification") {
			return Promise.resolve(refuse(invalidMessage("forward takes a request, which has an id"), null));
		}
		if (read.kind === "invalid") return Promise.resolve(refuse(invalidMessage(read.problem), read.id));
		const sent = forwarder.start(read.request);
		forwarded.set(read.request.id, sent);
		return sent.response;
	}

	/** What a handler returned, as far as it can be written. */
	function check(answer: JsonRpcResponse, message: JsonRpcRequest): JsonRpcResponse {
		const response = answer.id === message.id ? answer : { ...answer, id: message.id };
		const problem = problemWith(response);
		return problem ? refuse(problem, message.id, message) : response;
	}

	function answerRequest(message: JsonRpcRequest, given: readonly unknown[]): Promise<JsonRpcResponse> {
		const own = given.filter(isResponse);
		const sent = forwarded.get(message.id);
		if (own.length < given.length) {
			const what = "The handler returned something that is no JSON-RPC response; return one, or nothing";
			return Promise.resolve(refuse(new McpStdioError("INVALID_ANSWER", what), message.id, message));
		}
		// The only answer to the only request is meant for it, whatever its id: it may come from a cache.
		const answer = requests.length === 1 ? own[0] : own.find(({ id }) => id === message.id);
		if (!answer)
			return sent?.response ?? (options.isStreamed ? forwarder.start(message).response : forwarder.run(message));
		const response = check(answer, message);
		if (!sent) bridge.reports?.answered(message, response, invocation);
		sent?.end("The handler has answered the request itself");
		return Promise.resolve(response);
	}

	function answerMessage(message: ReceivedMessage, given: readonly unknown[]): Promise<JsonRpcResponse>[] {
		if (message.kind === "request") return [answerRequest(message.request, given)];
		if (message.kind === "notification") return [];
		return [Promise.resolve(refuse(invalidMessage(message.problem), message.id))];
	}

	function fail(error: McpStdioError): readonly JsonRpcResponse[] {
		return messages.flatMap((message) => {
			if (message.kind === "request") return [refuse(error, message.request.id, message.request)];
			return message.kind === "invalid" ? [refuse(error, message.id)] : [];
		});
	}

	return {
		context: { requests, claims: received.claims, forward: forwardForHandler },
		async answer(given) {
			const list = given === undefined || given === null ? [] : Array.isArray(given) ? given : [given];
			// What Middy's early timeout gives in place of the handler's answer need not be ours.
			if (!list.every(isResponse) && (await forwarder.abort("The handler was given up"))) return fail(givenUp());
			const responses = await Promise.all(messages.flatMap((message) => answerMessage(message, list)));
			// What the handler did not wait for would go on in the next invocation.
			void forwarder.abort("The handler has answered");
			return responses;
		},
		fail,
		abort: forwarder.abort,
	};
}

type Refuse = (error: McpStdioError, id: JsonRpcResponse["id"], refused?: JsonRpcRequest) => JsonRpcResponse;

/** Answers what never reaches the core, and reports it. */
function createRefusals({ params, options, guest, reports }: Bridge, invocation: Invocation): Refuse {
	return (error, id, refused) => {
		const response = error.toResponse(id, options.exposeStderr);
		tell(guest, "failure", { server: params.name, error, requestId: id ?? undefined, method: refused?.method });
		reports?.answered(refused, response, invocation, error);
		return response;
	};
}

type Forwarder = {
	/** Middy waits for what it gives, and ends it in no case. */
	readonly run: (message: JsonRpcRequest) => Promise<JsonRpcResponse>;
	/** What can be ended before its answer. */
	readonly start: (message: JsonRpcRequest) => Forwarded;
	readonly abort: (reason: unknown) => Promise<boolean>;
};

/** Sends requests to the server, within the invocation's deadline. */
function createForwarder(
	bridge: Bridge,
	invocation: Invocation,
	request: { readonly context: AnyContext },
	{ onNotification }: InvocationOptions,
	check: (response: JsonRpcResponse) => McpStdioError | undefined,
): Forwarder {
	const { options, reports } = bridge;
	const underWay = new Set<Forwarded>();
	let made: StdioServerParams | Promise<StdioServerParams> | undefined;

	async function forward(message: JsonRpcRequest, signal: AbortSignal | undefined): Promise<JsonRpcResponse> {
		const deadline = clockOf(request.context);
		const reported = reports?.begin(message, invocation);
		const correlation = reported?.correlation;
		let response: JsonRpcResponse | undefined;
		try {
			made ??= bridge.params.make(request);
			const params = made instanceof Promise ? await beforeDeadline(made, options, deadline, signal) : made;
			const own = { deadline, signal, onNotification, correlation };
			response = await runResolved(params, reported?.request ?? message, { ...options, ...own }, check);
		} catch (error) {
			const failure = asFailure(error);
			const { id: requestId, method } = message;
			tell(options.observer, "failure", { server: bridge.params.name, error: failure, requestId, method, correlation });
			response = failure.toResponse(requestId, options.exposeStderr);
		}
		reported?.end(response as JsonRpcResponse);
		return response as JsonRpcResponse;
	}

	return {
		run: (message) => forward(message, undefined),
		start(message) {
			const controller = new AbortController();
			const response = forward(message, controller.signal).finally(() => underWay.delete(sent));
			const sent = { response, end: (reason: unknown) => controller.abort(reason) };
			underWay.add(sent);
			return sent;
		},
		async abort(reason) {
			if (underWay.size === 0) return false;
			const ending = [...underWay];
			for (const { end } of ending) end(reason);
			await Promise.all(ending.map(({ response }) => response));
			return true;
		},
	};
}

function beforeDeadline(
	params: Promise<StdioServerParams>,
	{ timeoutMs, deadlineReserveMs }: ResolvedRequestOptions,
	deadline: ReturnType<typeof clockOf>,
	signal: AbortSignal | undefined,
): Promise<StdioServerParams> {
	const clock = startDeadline({ timeoutMs, deadline, deadlineReserveMs, signal });
	return untilInterrupted(params, clock.signal, ({ code, limitMs }) => {
		const what = `The params of the MCP server were not made within ${Math.round(limitMs)} ms`;
		return new McpStdioError(code, what, { data: { phase: "params" } });
	}).finally(clock.clear);
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

function isResponse(value: unknown): value is JsonRpcResponse {
	return isObject(value) && value.jsonrpc === "2.0" && ("result" in value || isObject(value.error));
}
