import { isObject, type JsonRpcRequest } from "../jsonrpc.ts";
import { isRecord, type Reporter, type RequestRecord } from "./record.ts";

/** What is used of a Powertools Tracer: https://docs.aws.amazon.com/powertools/typescript/latest/features/tracer/ */
export type PowertoolsTracer = {
	isTracingEnabled(): boolean;
	getSegment(): PowertoolsSegment | undefined;
	getRootXrayTraceId(): string | undefined;
};

type PowertoolsSegment = { addNewSubsegment(name: string): PowertoolsSubsegment };

type PowertoolsSubsegment = PowertoolsSegment & {
	readonly id: string;
	readonly notTraced: boolean;
	/** Seconds since the epoch. */
	start_time: number;
	addAnnotation(key: string, value: string | number | boolean): void;
	addError(error: Error): void;
	addErrorFlag(): void;
	close(): void;
};

type Trace = {
	readonly subsegment: PowertoolsSubsegment;
	/** Of a server that was started for the request and has not answered yet. */
	handshake: PowertoolsSubsegment | undefined;
};

/** A subsegment for each request, with those of a server's start below it. */
export function createTraceReporter(tracer: PowertoolsTracer): Reporter {
	const traces = new WeakMap<RequestRecord, Trace>();
	const traceOf = (correlation: unknown): Trace | undefined =>
		isRecord(correlation) ? traces.get(correlation) : undefined;

	return {
		observer: {
			spawn({ correlation, server, elapsedMs }) {
				const trace = traceOf(correlation);
				if (!trace) return;
				const start = trace.subsegment.addNewSubsegment(segmentName(`start ${server}`));
				start.start_time -= elapsedMs / 1000;
				start.close();
				trace.handshake = trace.subsegment.addNewSubsegment(segmentName(`initialize ${server}`));
			},
			ready({ correlation }) {
				const trace = traceOf(correlation);
				trace?.handshake?.close();
				if (trace) trace.handshake = undefined;
			},
		},
		begin(record, request) {
			const parent = tracer.isTracingEnabled() ? tracer.getSegment() : undefined;
			if (!parent) return request;
			// The active segment is left alone: requests that run side by side are siblings.
			const subsegment = parent.addNewSubsegment(segmentName(`${request.method} ${record.target?.name ?? ""}`.trim()));
			subsegment.addAnnotation("mcp_method", request.method.slice(0, longestName));
			if (record.target) subsegment.addAnnotation(`mcp_${record.target.kind}`, record.target.name);
			traces.set(record, { subsegment, handshake: undefined });
			return withTraceparent(request, tracer.getRootXrayTraceId(), subsegment);
		},
		end(record, outcome, errorCode) {
			const trace = traces.get(record);
			if (!trace) return;
			traces.delete(record);
			const { subsegment, handshake } = trace;
			const { failure, source, waitedMs } = record;
			subsegment.addAnnotation("mcp_outcome", outcome);
			if (source) subsegment.addAnnotation("mcp_source", source);
			if (waitedMs !== undefined) subsegment.addAnnotation("mcp_waited_ms", Math.round(waitedMs));
			const code = failure?.code ?? errorCode;
			if (code !== undefined) subsegment.addAnnotation("mcp_error_code", code);
			if (failure) {
				// What callers are told: the message for the log ends with a line of the server's stderr.
				const error = new Error(failure.toResponse(null).error.message);
				error.name = failure.code;
				error.stack = `${failure.code}: ${error.message}`;
				handshake?.addError(error);
				subsegment.addError(error);
			} else if (outcome !== "result") {
				subsegment.addErrorFlag();
			}
			handshake?.close();
			subsegment.close();
		},
	};
}

const longestName = 200;

// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-fields: `name`
function segmentName(name: string): string {
	return name.replace(/[^\p{L}\p{N}\s_.:/%&#=+\\\-@]/gu, "_").slice(0, longestName);
}

/** Adds the trace to a request's `_meta` as W3C's traceparent, unless its caller has one: https://www.w3.org/TR/trace-context/ */
function withTraceparent(
	request: JsonRpcRequest,
	rootTraceId: string | undefined,
	{ id, notTraced }: PowertoolsSubsegment,
): JsonRpcRequest {
	const [, time, random] = /^1-([\da-f]{8})-([\da-f]{24})$/.exec(rootTraceId ?? "") ?? [];
	const meta = request.params?._meta;
	if (!time || !random) return request;
	if (meta !== undefined && (!isObject(meta) || "traceparent" in meta)) return request;
	const traceparent = `00-${time}${random}-${id}-${notTraced ? "00" : "01"}`;
	return { ...request, params: { ...request.params, _meta: { ...meta, traceparent } } };
}
