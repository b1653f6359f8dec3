import { type HttpOptions, httpRules } from "../src/http/options.ts";
import { type LifetimeOptions, requestRules, type StdioRequestOptions } from "../src/options.ts";
import type { PowertoolsLogger, PowertoolsMetrics, PowertoolsTracer } from "../src/powertools/reports.ts";
import { type OptionRule, type OptionRules, oneOf, trueOrFalse, validateOptions } from "../src/validate.ts";

/** What goes to the core with each request. */
export type ForwardOptions = LifetimeOptions &
	Pick<StdioRequestOptions, "timeoutMs" | "deadlineReserveMs" | "exposeStderr">;

/** How the middleware treats all requests; the deadline comes from Lambda's context. */
export type McpStdioServerOptions = ForwardOptions &
	HttpOptions & {
		/**
		 * Whether what the first request needs is started when the middleware is made, in Lambda's INIT phase.
		 *
		 * Only where `params` are known then: not when they are a function.
		 *
		 * @default true
		 */
		readonly prewarm?: boolean | undefined;
		/**
		 * Whether results are streamed: a line for each JSON-RPC message, notifications of the server (progress, log messages)
		 * while it works, then the response; results may have up to 200 MB. For callers that read such a stream, as the
		 * transport of `mcp-stdio-lambda/client` with `streaming: true` does.
		 *
		 * Set it along with `executionModeStreamifyResponse` (Middy 7) or `streamifyResponse: true` (Middy 6): a middleware
		 * cannot see in which mode it runs.
		 *
		 * @default false
		 */
		readonly streamifyResponse?: boolean | undefined;
		/**
		 * How AgentCore Gateway is told that a tool call failed, at a Lambda target. `"return"`: the function's result is
		 * `{ isError: true, error: { code, message, data } }`. `"throw"`: the function fails with an error of that message and
		 * with the name `AgentCoreToolError`, which counts in Lambda's own metric `Errors`; code and data are lost.
		 *
		 * @default "return"
		 */
		readonly agentCoreErrors?: "return" | "throw" | undefined;
		/**
		 * A Powertools Logger, for a line about each request, each start and end of a server and each of its lines on stderr.
		 * Without one, and without an `observer`, failures are written to stderr, a JSON line each.
		 */
		readonly logger?: PowertoolsLogger | undefined;
		/** A Powertools Tracer, for a subsegment of each request and its `traceparent`. */
		readonly tracer?: PowertoolsTracer | undefined;
		/** A Powertools Metrics, for counts and durations. Published by `logMetrics` where it is used, else by the middleware. */
		readonly metrics?: PowertoolsMetrics | undefined;
	};

const rules: OptionRules<McpStdioServerOptions> = {
	lifetime: requestRules.lifetime,
	standby: requestRules.standby,
	maxProcesses: requestRules.maxProcesses,
	observer: requestRules.observer,
	timeoutMs: requestRules.timeoutMs,
	deadlineReserveMs: requestRules.deadlineReserveMs,
	exposeStderr: requestRules.exposeStderr,
	...httpRules,
	prewarm: trueOrFalse,
	streamifyResponse: trueOrFalse,
	agentCoreErrors: oneOf("return", "throw"),
	logger: having("a Powertools Logger", "debug", "info", "warn", "error"),
	tracer: having("a Powertools Tracer", "isTracingEnabled", "getSegment", "getRootXrayTraceId"),
	metrics: having("Powertools Metrics", "addMetric", "singleMetric", "hasStoredMetrics", "publishStoredMetrics"),
};

/** Throws a TypeError that names the option which `mcpStdioServer` would not accept. */
export function mcpStdioServerValidateOptions(options: McpStdioServerOptions): void {
	validateOptions("options", options, rules);
}

function having(expected: string, ...methods: readonly string[]): OptionRule {
	return {
		expected: `${expected} (2.x)`,
		accepts: (value) =>
			typeof value === "object" &&
			value !== null &&
			methods.every((name) => typeof (value as Record<string, unknown>)[name] === "function"),
	};
}
