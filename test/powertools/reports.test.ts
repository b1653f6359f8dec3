import { describe, expect, test, vi } from "vitest";
import { McpStdioError } from "../../src/errors.ts";
import type { JsonRpcRequest } from "../../src/index.ts";
import { targetOf } from "../../src/powertools/record.ts";
import { createReports, type Powertools } from "../../src/powertools/reports.ts";
import { callTool } from "../support/servers.ts";

const invocation = { awsRequestId: "invocation-1", coldStart: false };
const child = { server: "weather", pid: 7 };

function fakeLogger() {
	return { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
}

function fakeMetrics() {
	const byCode = { addDimension: vi.fn(), addMetric: vi.fn() };
	return {
		byCode,
		addMetric: vi.fn(),
		singleMetric: () => byCode,
		hasStoredMetrics: vi.fn(() => true),
		publishStoredMetrics: vi.fn(),
	};
}

function reportsOf(powertools: Powertools) {
	const reports = createReports(powertools);
	if (!reports) throw new Error("There are no reports");
	return reports;
}

test("nothing is reported to nobody", () => {
	expect(createReports({})).toBeUndefined();
});

describe("a line on stderr", () => {
	test.each([
		["ERROR: no route to host", "error"],
		["2026-11-22T10:00:00Z ERROR weather: no route", "error"],
		["TypeError: x is not a function", "error"],
		["Traceback (most recent call last):", "error"],
		["[error] no route", "error"],
		['{"level":"error","msg":"no route"}', "error"],
		["(node:7) DeprecationWarning: The punycode module", "warn"],
		["WARN slow upstream", "warn"],
		["DEBUG 12 tools", "debug"],
		["Weather MCP server running on stdio", "info"],
		["Finished without an error", "info"],
		["", "info"],
	] as const)("%j is logged at the level %s", (line, level) => {
		const logger = fakeLogger();
		reportsOf({ logger }).observer.stderr?.({ ...child, line });
		expect(logger[level]).toHaveBeenCalledExactlyOnceWith(line, { mcp: { ...child, stream: "stderr" } });
	});
});

describe("what a request is about", () => {
	test.each<[string, unknown, unknown]>([
		["tools/call", { name: "echo", arguments: { a: 1 } }, { kind: "tool", name: "echo" }],
		["prompts/get", { name: "greet", arguments: { a: "1" } }, { kind: "prompt", name: "greet" }],
		["resources/read", { uri: "file:///a/b.txt" }, { kind: "resource", name: "file:///a/b.txt" }],
		["resources/read", { uri: "https://me:pw@host/x?token=1#y" }, { kind: "resource", name: "https://host/x" }],
		["tools/call", { name: "n".repeat(500) }, { kind: "tool", name: "n".repeat(200) }],
		["tools/call", { name: 1 }, undefined],
		["tools/call", undefined, undefined],
		["tools/list", { name: "x" }, undefined],
	])("%s with %j", (method, params, target) => {
		expect(targetOf({ jsonrpc: "2.0", id: 1, method, params } as JsonRpcRequest)).toEqual(target);
	});
});

describe("reports", () => {
	test("never show arguments or results, of whatever end", () => {
		const [logger, metrics] = [fakeLogger(), fakeMetrics()];
		const reports = reportsOf({ logger, metrics });
		const request = callTool("echo", { key: "secret argument" });
		const reported = reports.begin(request, invocation);
		reported.end({ jsonrpc: "2.0", id: 1, result: { content: "secret result", isError: true } });
		reports.begin(request, invocation).end({
			jsonrpc: "2.0",
			id: 1,
			error: { code: -32000, message: "secret message", data: "secret data" },
		});
		reports.observer.noise?.({ ...child, problem: "a late or second answer", text: "secret text", first: false });
		expect(logger.warn).toHaveBeenCalledTimes(2);
		expect(logger.debug).toHaveBeenCalledOnce();
		expect(JSON.stringify([logger.warn.mock.calls, logger.debug.mock.calls])).not.toContain("secret");
		expect(metrics.byCode.addDimension.mock.calls).toEqual([
			["code", "TOOL_ERROR"],
			["code", "SERVER_ERROR"],
		]);
	});

	test("leave a request alone when there is no tracer, or it is off", () => {
		const request = callTool("echo");
		expect(reportsOf({ logger: fakeLogger() }).begin(request, invocation).request).toBe(request);
		const tracer = { isTracingEnabled: () => false, getSegment: vi.fn(), getRootXrayTraceId: vi.fn() };
		expect(reportsOf({ tracer }).begin(request, invocation).request).toBe(request);
		expect(tracer.getSegment).not.toHaveBeenCalled();
	});

	test("keep the traces of invocations apart that run at once", () => {
		const segment = (id: string) => {
			const made = {
				id,
				children: [] as string[],
				notTraced: false,
				start_time: 0,
				addNewSubsegment: (name: string) => {
					made.children.push(name);
					return segment(`${id}/${name}`);
				},
				addAnnotation: vi.fn(),
				addError: vi.fn(),
				addErrorFlag: vi.fn(),
				close: vi.fn(),
			};
			return made;
		};
		const [mine, yours] = [segment("mine"), segment("yours")];
		const tracer = { isTracingEnabled: () => true, getSegment: vi.fn(() => mine), getRootXrayTraceId: () => undefined };
		const reports = reportsOf({ tracer });
		const first = reports.begin(callTool("a"), invocation);
		tracer.getSegment.mockReturnValue(yours);
		const second = reports.begin(callTool("b"), invocation);
		const { observer } = reports;
		observer.spawn?.({ ...child, source: "fresh", elapsedMs: 1, correlation: first.correlation });
		second.end({ jsonrpc: "2.0", id: 1, result: {} });
		observer.ready?.({ ...child, source: "fresh", elapsedMs: 1, correlation: first.correlation });
		first.end({ jsonrpc: "2.0", id: 1, result: {} });
		expect([mine.children, yours.children]).toEqual([["tools/call a"], ["tools/call b"]]);
	});

	test("say of a kept process whether it was started for the request", () => {
		const logger = fakeLogger();
		const { begin, observer } = reportsOf({ logger });
		for (const started of [true, false]) {
			const { correlation, end } = begin(callTool("echo"), invocation);
			if (started) observer.spawn?.({ ...child, source: "kept", elapsedMs: 1, correlation });
			const waiting = { requestId: 1, method: "tools/call", source: "kept", waitedMs: 1 } as const;
			observer.request?.({ ...child, ...waiting, correlation });
			end({ jsonrpc: "2.0", id: 1, result: {} });
		}
		expect(logger.info.mock.calls.map(([, { mcp }]) => mcp.source)).toEqual(["fresh", "reused"]);
	});

	test("disturb nothing when Powertools throw", () => {
		const fail = () => {
			throw new Error("Powertools fail");
		};
		const reports = reportsOf({
			logger: { debug: fail, info: fail, warn: fail, error: fail },
			tracer: { isTracingEnabled: fail, getSegment: fail, getRootXrayTraceId: fail },
			metrics: { addMetric: fail, singleMetric: fail, hasStoredMetrics: fail, publishStoredMetrics: fail },
		});
		const request = callTool("echo");
		reports.receive([{ kind: "request", request }]);
		const reported = reports.begin(request, invocation);
		expect(reported.request).toBe(request);
		reported.end(new McpStdioError("TIMEOUT", "Late").toResponse(1));
		reports.flush();
	});

	test("publish metrics only where there are some", () => {
		const metrics = fakeMetrics();
		const reports = reportsOf({ metrics });
		metrics.hasStoredMetrics.mockReturnValueOnce(false);
		reports.flush();
		expect(metrics.publishStoredMetrics).not.toHaveBeenCalled();
		reports.flush();
		expect(metrics.publishStoredMetrics).toHaveBeenCalledOnce();
	});
});
