/**
 * The Middy middleware.
 *
 * @module mcp-stdio-lambda/middy
 */

import type { MiddlewareObj } from "@middy/core";
import { McpStdioError } from "../src/errors.ts";
import { decodeUnhandled } from "../src/events/direct.ts";
import type { Reply } from "../src/events/event.ts";
import { decodeEvent } from "../src/events/index.ts";
import { resolveHttpOptions } from "../src/http/options.ts";
import { requireNode } from "../src/node-version.ts";
import { combineObservers, failureObserver } from "../src/observer.ts";
import { resolveRequestOptions } from "../src/options.ts";
import { createReports, type Invocation } from "../src/powertools/reports.ts";
import { prewarmStdioServer } from "../src/prewarm.ts";
import { createStreamedResult, createWholeResult, type Result } from "../src/result.ts";
import { type AnyContext, clientContextOf, invocationIdOf, type McpLambdaContext } from "./context.ts";
import { asFailure, type Bridge, givenUp, type McpInvocation, type Received, startInvocation } from "./invocation.ts";
import { type McpStdioServerOptions, mcpStdioServerValidateOptions } from "./options.ts";
import { type McpStdioServerParams, paramsSource } from "./server-params.ts";

export type { HttpOptions, ResourceMetadata, ServerCard } from "../src/http/options.ts";
export type { LifetimeOptions } from "../src/options.ts";
export { type BearerChallenge, bearerChallenge } from "./challenge.ts";
export type { LambdaClientContext, LambdaContext, McpContext, McpLambdaContext } from "./context.ts";
export { type ForwardOptions, type McpStdioServerOptions, mcpStdioServerValidateOptions } from "./options.ts";
export { type McpGrant, type PolicyHandler, policyByClaim } from "./policy.ts";
export type { McpStdioServerParams } from "./server-params.ts";

requireNode();

export type McpStdioServerMiddleware = MiddlewareObj<unknown, unknown, Error, McpLambdaContext> & {
	/**
	 * Resolves when prewarming is over: to `undefined`, or to the error that the first request will try to do better than.
	 * Awaited at the top of a module, it is done in Lambda's INIT phase; otherwise the first requests go on waiting for it.
	 */
	readonly prewarmed: Promise<McpStdioError | undefined>;
};

/** What is used of a Middy request; it is the same object in every hook of an invocation, and of no other. */
type MiddyRequest = {
	readonly event: unknown;
	readonly context: AnyContext;
	readonly internal: object;
	response: unknown;
	error: unknown;
};

/** An event that is MCP's, while its function runs. */
type Handling = {
	readonly mcp: McpInvocation;
	readonly result: Result;
	readonly reply: Reply;
};

type State = {
	/** `undefined` for an event that is not MCP's. */
	readonly handling: Handling | undefined;
	/** The result of an event that needs no server, unless the handler gives one. */
	readonly answered: { readonly result: unknown } | undefined;
	readonly invocation: Invocation;
	/** Whether no `logMetrics` comes after us that would publish. */
	readonly publishes: boolean;
};

/** Where Powertools' `logMetrics` leaves its mark on `request.internal`. */
const logMetricsMark = "powertools-for-aws.metrics";

/** Those that one of these middlewares has seen: `request.internal` may be one object for all invocations. */
const seen = new WeakSet<object>();

const isOnDemand = process.env.AWS_LAMBDA_INITIALIZATION_TYPE === "on-demand";
let isFirstInvocation = true;

/**
 * A Middy middleware that runs a stdio MCP server behind the function: each JSON-RPC request of the event is forwarded to
 * it, and the function's result is what it answers.
 *
 * Forwarding happens in Middy's `after`, so the handler comes first: it finds the requests on `context.mcp`, and may answer
 * them itself (by returning a JSON-RPC response), forward them itself (`context.mcp.forward`) or return nothing. An event
 * that is not MCP goes to the handler alone.
 *
 * Throws a TypeError for wrong params or options. What fails later is a JSON-RPC error in the result.
 *
 * @example
 * import middy from "@middy/core";
 * import { mcpStdioServer } from "mcp-stdio-lambda/middy";
 *
 * const server = mcpStdioServer({ command: "node", args: ["server.js"] });
 * await server.prewarmed;
 * export const handler = middy().use(server);
 */
export function mcpStdioServer(
	params: McpStdioServerParams,
	options: McpStdioServerOptions = {},
): McpStdioServerMiddleware {
	mcpStdioServerValidateOptions(options);
	const { prewarm = true, streamifyResponse = false, agentCoreErrors, lifetime, standby, maxProcesses } = options;
	const bridge = createBridge(params, options);
	const http = resolveHttpOptions(options);
	const states = new WeakMap<object, State>();
	const flush = (): void => bridge.reports?.flush();

	function handle(received: Received, invocation: Invocation, request: MiddyRequest): Handling {
		const { reply } = received;
		const result = streamifyResponse ? createStreamedResult(reply.stream) : createWholeResult(reply);
		const told = {
			onNotification: result.notify,
			isStreamed: streamifyResponse && reply.stream.frame !== undefined,
		};
		return { mcp: startInvocation(bridge, received, invocation, request, told), result, reply };
	}

	function mcpStdioServerBefore(request: MiddyRequest): void {
		refuseSecond(request);
		const invocation = describeInvocation(request.context);
		const clientContext = clientContextOf(request.context);
		const facts = { clientContext, awsRequestId: invocation.awsRequestId, agentCoreErrors };
		const decoded = decodeEvent(request.event, http, facts);
		const publishes = !(logMetricsMark in request.internal);
		if (!decoded || "answered" in decoded) {
			const answered = decoded && { result: decoded.answered };
			states.set(request, { handling: undefined, answered, invocation, publishes });
			return;
		}
		const handling = handle(decoded, invocation, request);
		states.set(request, { handling, answered: undefined, invocation, publishes });
		request.context.mcp = handling.mcp.context;
		bridge.reports?.receive(decoded.messages);
	}

	/** What an event becomes that is not MCP's and that no handler has answered. */
	function handleUnhandled({ answered, invocation }: State, request: MiddyRequest): Handling | undefined {
		if (request.response !== undefined) return undefined;
		if (answered) request.response = answered.result;
		const decoded = answered ? undefined : decodeUnhandled(request.event);
		return decoded && "messages" in decoded ? handle(decoded, invocation, request) : undefined;
	}

	async function mcpStdioServerAfter(request: MiddyRequest): Promise<void> {
		const state = states.get(request);
		const handling = state && (state.handling ?? handleUnhandled(state, request));
		if (!handling) return;
		const { mcp, result, reply } = handling;
		if (reply.isResult(request.response)) {
			await mcp.abort("The handler has answered");
		} else {
			const answer = mcp.answer(request.response);
			const failure = reply.failure?.(await answer);
			if (failure) throw failure;
			try {
				request.response = await result.respond(answer, () => void mcp.abort("The result is not read any more"));
			} catch (error) {
				throw asFailure(error);
			}
			// What is still streamed ends after `logMetrics` has published.
			if (result.isStreaming()) return void answer.finally(flush).catch(() => {});
		}
		if (state.publishes) flush();
	}

	async function mcpStdioServerOnError(request: MiddyRequest): Promise<void> {
		const state = states.get(request);
		if (!state?.handling) return;
		const { mcp, reply } = state.handling;
		const { error } = request;
		const wasForwarding = await mcp.abort(error);
		const failure = error instanceof McpStdioError ? error : undefined;
		const timeout = wasForwarding && isEarlyTimeout(error) ? givenUp(error) : undefined;
		const ours = failure ?? timeout;
		if (ours && request.response === undefined) {
			const responses = mcp.fail(ours);
			const thrown = reply.failure?.(responses);
			if (thrown) request.error = thrown;
			else request.response = streamifyResponse ? reply.stream.whole(responses) : reply.result(responses, []);
		}
		if (state.publishes) flush();
	}

	const { known } = bridge.params;
	return {
		before: mcpStdioServerBefore as MiddlewareObj["before"],
		after: mcpStdioServerAfter as MiddlewareObj["after"],
		onError: mcpStdioServerOnError as MiddlewareObj["onError"],
		prewarmed:
			known && prewarm
				? prewarmStdioServer(known, { lifetime, standby, maxProcesses, observer: bridge.options.observer })
				: Promise.resolve(undefined),
	} as McpStdioServerMiddleware;
}

function createBridge(params: McpStdioServerParams, options: McpStdioServerOptions): Bridge {
	const { logger, tracer, metrics } = options;
	const { lifetime, standby, maxProcesses, timeoutMs, deadlineReserveMs, exposeStderr } = options;
	const guest = options.observer ?? (logger ? undefined : failureObserver);
	const reports = createReports({ logger, tracer, metrics });
	const observer = combineObservers([guest, reports?.observer].filter((given) => given !== undefined));
	const forwarding = { lifetime, standby, maxProcesses, observer, timeoutMs, deadlineReserveMs, exposeStderr };
	return {
		params: paramsSource(params),
		options: resolveRequestOptions(forwarding),
		guest,
		reports,
	};
}

/** The second would find what the first has answered: which server a request is meant for, only the handler can tell. */
function refuseSecond(request: MiddyRequest): void {
	if (seen.has(request)) {
		throw new TypeError(
			"Two mcpStdioServer are in one chain of middlewares: deploy a function for each server, or choose the params by the request, with a function as the first argument of one mcpStdioServer",
		);
	}
	seen.add(request);
}

function describeInvocation(context: AnyContext): Invocation {
	const coldStart = isOnDemand && isFirstInvocation;
	isFirstInvocation = false;
	return { awsRequestId: invocationIdOf(context), coldStart };
}

// https://middy.js.org/docs/intro/early-interrupt: Middy gives up a handler shortly before Lambda would.
function isEarlyTimeout(error: unknown): boolean {
	return error instanceof Error && error.name === "TimeoutError";
}
