import type { Outcome, Reporter, RequestRecord } from "./record.ts";

/** What is used of Powertools Metrics: https://docs.aws.amazon.com/powertools/typescript/latest/features/metrics/ */
export type PowertoolsMetrics = {
	addMetric(name: string, unit: "Count" | "Milliseconds", value: number): unknown;
	/** Metrics of their own, each written at once. */
	singleMetric(): {
		addDimension(name: string, value: string): unknown;
		addMetric(name: string, unit: "Count", value: number): unknown;
	};
	hasStoredMetrics(): boolean;
	publishStoredMetrics(): unknown;
};

/** What is measured, under the dimensions that the deployer's Metrics has; errors also under `code`. */
export const metricNames = {
	/** Requests that callers sent. */
	requests: "McpRequests",
	/** Notifications that callers sent; they start nothing. */
	notifications: "McpNotifications",
	/** 1 for each request that was not answered with a plain result, else 0. */
	errors: "McpErrors",
	/** 1 for each request that the bridge failed, else 0. */
	failures: "McpFailures",
	/** Milliseconds of a request in the function. */
	latency: "McpLatency",
	/** Milliseconds until a request was given to a server's process. */
	queueTime: "McpQueueTime",
	/** Processes that were started. */
	serverStarts: "McpServerStarts",
	/** In the lifetime "request": 1 for each request that found a standby ready, else 0. */
	standbyHits: "McpStandbyHits",
	/** Requests turned away because the server keeps dying at start. */
	crashLoops: "McpCrashLoops",
} as const;

export function createMetricsReporter(metrics: PowertoolsMetrics): Reporter {
	// Processes start between requests as well, when nothing is published.
	let starts = 0;
	return {
		observer: {
			spawn() {
				starts += 1;
			},
		},
		receive(requests, notifications) {
			// Before anything else, so that there is something to publish whatever happens and in whatever order.
			if (requests > 0) metrics.addMetric(metricNames.requests, "Count", requests);
			if (notifications > 0) metrics.addMetric(metricNames.notifications, "Count", notifications);
		},
		end(record, outcome) {
			const { failure, source, waitedMs } = record;
			const elapsedMs = performance.now() - record.startedAt;
			metrics.addMetric(metricNames.latency, "Milliseconds", elapsedMs);
			metrics.addMetric(metricNames.errors, "Count", outcome === "result" ? 0 : 1);
			metrics.addMetric(metricNames.failures, "Count", failure ? 1 : 0);
			const queuedMs = failure?.code === "BUSY" ? elapsedMs : waitedMs;
			if (queuedMs !== undefined) metrics.addMetric(metricNames.queueTime, "Milliseconds", queuedMs);
			if (source !== undefined && source !== "kept") {
				metrics.addMetric(metricNames.standbyHits, "Count", source === "standby" ? 1 : 0);
			}
			if (starts > 0) metrics.addMetric(metricNames.serverStarts, "Count", starts);
			starts = 0;
			if (failure?.code === "CRASH_LOOP") metrics.addMetric(metricNames.crashLoops, "Count", 1);
			if (outcome === "result") return;
			const byCode = metrics.singleMetric();
			byCode.addDimension("code", errorName(record, outcome));
			byCode.addMetric(metricNames.errors, "Count", 1);
		},
	};
}

// Each value of a dimension is a metric that costs: a server's own codes, of which there is no end, count as one.
function errorName({ failure, answeredByHandler }: RequestRecord, outcome: Outcome): string {
	if (failure) return failure.code;
	if (outcome === "error" && answeredByHandler) return "HANDLER_ERROR";
	return outcome === "tool_error" ? "TOOL_ERROR" : "SERVER_ERROR";
}
