/**
 * The Middy middleware.
 *
 * @module mcp-stdio-lambda/middy
 */

import type { MiddlewareObj } from "@middy/core";
import { McpStdioError } from "../src/errors.ts";
import { decodeDirect, decodeUnhandled } from "../src/events/direct.ts";
import { requireNode } from "../src/node-version.ts";
import { combineObservers, failureObserver } from "../src/observer.ts";
import { createReports, type Invocation } from "../src/powertools/reports.ts";
import { prewarmStdioServer } from "../src/prewarm.ts";
import type { AnyContext, McpLambdaContext } from "./context.ts";
import { asFailure, type Bridge, givenUp, type McpInvocation, startInvocation } from "./invocation.ts";
import { type McpStdioServerOptions, mcpStdioServerValidateOptions } from "./options.ts";
import { createResultStream, type ResultStream, toLine } from "./result-stream.ts";
import { type McpStdioServerParams, paramsSource } from "./server-params.ts";

export type { McpContext, McpLambdaContext } from "./context.ts";
export { type McpStdioServerOptions, mcpStdioServerValidateOptions } from "./options.ts";
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

type State = {
	readonly mcp: McpInvocation | undefined;
	readonly invocation: Invocation;
	/** Whether no `logMetrics` comes after us that would publish. */
	readonly publishes: boolean;
	/** In Middy's streaming mode. */
	readonly stream: ResultStream | undefined;
};

/** Where Powertools' `logMetrics` leaves its mark on `request.internal`. */
const logMetricsMark = "powertools-for-aws.metrics";

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
	const { prewarm = true, streamifyResponse = false, logger, tracer, metrics, observer, ...forwardOptions } = options;
	const guest = observer ?? (logger ? undefined : failureObserver);
	const reports = createReports({ logger, tracer, metrics });
	const bridge: Bridge = {
		params: paramsSource(params),
		options: forwardOptions,
		observer: combineObservers([guest, reports?.observer].filter((given) => given !== undefined)),
		guest,
		reports,
	};
	const states = new WeakMap<object, State>();
	const flush = (): void => reports?.flush();

	function mcpStdioServerBefore(request: MiddyRequest): void {
		const decoded = decodeDirect(request.event);
		const invocation = describeInvocation(request.context);
		const stream = streamifyResponse ? createResultStream() : undefined;
		const streaming = stream && { onNotification: stream.notify };
		const mcp = decoded && startInvocation(bridge, decoded, invocation, request, streaming);
		states.set(request, { mcp, invocation, publishes: !(logMetricsMark in request.internal), stream });
		if (!mcp) return;
		request.context.mcp = mcp.context;
		reports?.receive(decoded.messages);
	}

	async function mcpStdioServerAfter(request: MiddyRequest): Promise<void> {
		const state = states.get(request);
		if (!state || (!state.mcp && request.response !== undefined)) return;
		const { invocation, publishes, stream } = state;
		// Neither MCP nor a handler's: whoever sent it is told.
		const mcp = state.mcp ?? startInvocation(bridge, decodeUnhandled(request.event), invocation, request);
		const answer = mcp.answer(request.response);
		const abandon = (): void => void mcp.abort("The result is not read any more");
		try {
			request.response = await (stream ? stream.respond(answer, abandon) : answer);
		} catch (error) {
			throw asFailure(error);
		}
		// What is still streamed ends after `logMetrics` has published.
		if (stream && typeof request.response !== "string") void answer.finally(flush).catch(() => {});
		else if (publishes) flush();
	}

	async function mcpStdioServerOnError(request: MiddyRequest): Promise<void> {
		const state = states.get(request);
		if (!state?.mcp) return;
		const { error } = request;
		const wasForwarding = await state.mcp.abort(error);
		const failure = error instanceof McpStdioError ? error : undefined;
		const timeout = wasForwarding && isEarlyTimeout(error) ? givenUp(error) : undefined;
		const ours = failure ?? timeout;
		if (ours && request.response === undefined) {
			const result = state.mcp.fail(ours);
			request.response = state.stream ? toLine(result) : result;
		}
		if (state.publishes) flush();
	}

	const { known } = bridge.params;
	const { lifetime, standby, maxProcesses } = forwardOptions;
	return {
		before: mcpStdioServerBefore as MiddlewareObj["before"],
		after: mcpStdioServerAfter as MiddlewareObj["after"],
		onError: mcpStdioServerOnError as MiddlewareObj["onError"],
		prewarmed:
			known && prewarm
				? prewarmStdioServer(known, { lifetime, standby, maxProcesses, observer: bridge.observer })
				: Promise.resolve(undefined),
	} as McpStdioServerMiddleware;
}

function describeInvocation({ awsRequestId, lambdaContext }: AnyContext): Invocation {
	const coldStart = isOnDemand && isFirstInvocation;
	isFirstInvocation = false;
	return { awsRequestId: awsRequestId ?? lambdaContext?.awsRequestId, coldStart };
}

// https://middy.js.org/docs/intro/early-interrupt: Middy gives up a handler shortly before Lambda would.
function isEarlyTimeout(error: unknown): boolean {
	return error instanceof Error && error.name === "TimeoutError";
}
