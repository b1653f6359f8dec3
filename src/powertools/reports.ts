import type { McpStdioError } from "../errors.ts";
import type { JsonRpcRequest, JsonRpcResponse, ReceivedMessage, RequestId } from "../jsonrpc.ts";
import { combineObservers, type Observer } from "../observer.ts";
import { createLogReporter, type PowertoolsLogger } from "./logger.ts";
import { createMetricsReporter, type PowertoolsMetrics } from "./metrics.ts";
import { type Invocation, outcomeOf, type Reporter, type RequestRecord, recorder, targetOf } from "./record.ts";
import { createTraceReporter, type PowertoolsTracer } from "./tracer.ts";

export type { PowertoolsLogger } from "./logger.ts";
export type { PowertoolsMetrics } from "./metrics.ts";
export type { Invocation } from "./record.ts";
export type { PowertoolsTracer } from "./tracer.ts";

export type Powertools = {
	readonly logger?: PowertoolsLogger | undefined;
	readonly tracer?: PowertoolsTracer | undefined;
	readonly metrics?: PowertoolsMetrics | undefined;
};

/** One request as the Powertools see it. */
type ReportedRequest = {
	/** What is to be forwarded: the request, with its trace. */
	readonly request: JsonRpcRequest;
	/** What the core is to be given as the request's correlation. */
	readonly correlation: unknown;
	readonly end: (response: JsonRpcResponse) => void;
};

/** Tells Powertools what happens to requests. Nothing it does can disturb them. */
export type Reports = {
	/** For the core, along with each request's correlation. */
	readonly observer: Observer;
	/** Must be called with what an event brought, before anything can fail. */
	readonly receive: (messages: readonly ReceivedMessage[]) => void;
	/** Must be called before a request is forwarded. */
	readonly begin: (request: JsonRpcRequest, invocation: Invocation) => ReportedRequest;
	/** A request was answered without a server. */
	readonly answered: (
		request: JsonRpcRequest | undefined,
		response: JsonRpcResponse,
		invocation: Invocation,
		failure?: McpStdioError,
	) => void;
	/** Publishes metrics that nobody else will publish. */
	readonly flush: () => void;
};

/** `undefined` without any of the Powertools, so that nothing is done for nobody. */
export function createReports({ logger, tracer, metrics }: Powertools): Reports | undefined {
	const reporters: Reporter[] = [];
	// The tracer comes first, so that the others find nothing changed by a request's trace.
	if (tracer) reporters.push(createTraceReporter(tracer));
	if (logger) reporters.push(createLogReporter(logger));
	if (metrics) reporters.push(createMetricsReporter(metrics));
	if (reporters.length === 0) return undefined;

	function end(record: RequestRecord, response: JsonRpcResponse): void {
		const outcome = outcomeOf(record, response);
		const errorCode = "error" in response ? response.error?.code : undefined;
		for (const reporter of reporters) quietly(() => reporter.end?.(record, outcome, errorCode));
	}

	return {
		observer: combineObservers([recorder, ...reporters.map(({ observer }) => observer)]),
		receive(messages) {
			const notifications = messages.filter(({ kind }) => kind === "notification").length;
			for (const reporter of reporters) {
				quietly(() => reporter.receive?.(messages.length - notifications, notifications));
			}
		},
		begin(request, invocation) {
			const record = createRecord(invocation, request.id, request);
			let forwarded = request;
			for (const reporter of reporters) {
				quietly(() => {
					forwarded = reporter.begin?.(record, forwarded) ?? forwarded;
				});
			}
			return { request: forwarded, correlation: record, end: (response) => end(record, response) };
		},
		answered(request, response, invocation, failure) {
			const record = createRecord(invocation, response.id, request, !failure);
			record.failure = failure;
			end(record, response);
		},
		flush() {
			quietly(() => {
				if (metrics?.hasStoredMetrics()) metrics.publishStoredMetrics();
			});
		},
	};
}

function createRecord(
	invocation: Invocation,
	requestId: RequestId | null,
	request: JsonRpcRequest | undefined,
	answeredByHandler = false,
): RequestRecord {
	return {
		invocation,
		requestId,
		method: request?.method.slice(0, longestMethod),
		target: request && targetOf(request),
		startedAt: performance.now(),
		answeredByHandler,
		server: undefined,
		pid: undefined,
		source: undefined,
		started: false,
		waitedMs: undefined,
		failure: undefined,
	};
}

const longestMethod = 200;

/** Runs something of a guest's, whose failure is its own affair. */
function quietly(run: () => void): void {
	try {
		run();
	} catch {
		// A request is worth more than the report about it.
	}
}
