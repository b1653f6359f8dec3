import { describe, expect, test } from "vitest";
import { metricNames } from "../../src/powertools/metrics.ts";
import { runtimes } from "../local/lambda.ts";
import { everything, fixtureServer, request, toolCall } from "./function.ts";
import { flatten, startOperator } from "./operator.ts";

const notification = { jsonrpc: "2.0", method: "notifications/initialized" };
const wellBehaved = fixtureServer("well-behaved");
const own = { runtime: "own" } as const;
const untilSeen = { timeout: 60_000 };

const orders = [
	"mcp logger tracer metrics",
	"logger tracer metrics mcp",
	"metrics mcp logger tracer",
	"tracer mcp metrics logger",
];

describe.each(runtimes)("the full set of Powertools in the runtime $name", (runtime) => {
	describe.skipIf(runtime.skip)("", () => {
		test.each(orders)("in the order %s tells of success, error and notification alike", async (ORDER) => {
			const operator = await startOperator(wellBehaved, { ORDER }, runtime);
			const echoed = await operator.invoke(toolCall("echo", { message: "secret-message" }));
			expect(echoed.payload).toMatchObject({ result: { content: [{ text: "Echo: secret-message" }] } });
			await expect.poll(() => operator.values(metricNames.latency).length, untilSeen).toBe(1);
			expect(operator.values(metricNames.requests)).toEqual([1]);
			expect(operator.values(metricNames.errors)).toEqual([0]);
			expect(operator.lines().filter(({ mcp }) => mcp?.outcome)).toMatchObject([
				{ level: "INFO", cold_start: true, mcp: { method: "tools/call", tool: "echo", outcome: "result" } },
			]);

			const failed = await operator.invoke(toolCall("exit", { code: 3 }));
			expect(failed).toMatchObject({ failed: false, payload: { error: { data: { code: "SERVER_EXITED" } } } });
			await expect.poll(() => operator.values(metricNames.failures), untilSeen).toEqual([0, 1]);
			expect(operator.values(metricNames.errors, ["service", "code"])).toEqual([1]);

			expect((await operator.invoke(notification)).payload).toEqual({});
			await expect.poll(() => operator.values(metricNames.notifications), untilSeen).toEqual([1]);
			expect(operator.values(metricNames.requests)).toEqual([1, 1]);

			await expect
				.poll(() => flatten(operator.segments()).filter(({ name }) => name.startsWith("tools/call")), untilSeen)
				.toMatchObject([{ name: "tools/call echo" }, { name: "tools/call exit", fault: true }]);
			const handled = flatten(operator.segments()).filter(({ name }) => name.startsWith("## "));
			expect(handled).toHaveLength(3);
			expect(JSON.stringify([operator.lambda.logs, operator.segments()])).not.toMatch(
				/secret-message|secret-in-the-environment/,
			);
		});

		test.each(orders)("in the order %s tells of requests whose result is streamed", async (ORDER) => {
			const OPTIONS = JSON.stringify({ streamifyResponse: true, lifetime: "environment" });
			const operator = await startOperator(wellBehaved, { ORDER, OPTIONS }, runtime);
			const call = toolCall("progress", { steps: 2 });
			(call.params as Record<string, unknown>)._meta = { progressToken: "t" };
			for (const rounds of [1, 2]) {
				const { payload } = await operator.invoke(call);
				expect(payload).toMatchObject({ result: { content: [{ text: "Done" }] } });
				await expect.poll(() => operator.values(metricNames.latency), untilSeen).toHaveLength(rounds);
				expect(operator.values(metricNames.requests)).toHaveLength(rounds);
				expect(operator.lines().filter(({ mcp }) => mcp?.outcome === "result")).toHaveLength(rounds);
			}
			await expect
				.poll(() => flatten(operator.segments()).filter(({ name }) => name === "tools/call progress"), untilSeen)
				.toMatchObject([{ end_time: expect.any(Number) }, { end_time: expect.any(Number) }]);
		});

		test("stays right over freezes, with a line for each request and one blob of metrics", async () => {
			const operator = await startOperator(
				everything,
				{ OPTIONS: JSON.stringify({ lifetime: "environment" }) },
				runtime,
			);
			const rounds = 30;
			const roots: string[] = [];
			for (let round = 0; round < rounds; round += 1) {
				roots.push((await operator.invoke(toolCall("echo", { message: `${round}` }))).root);
			}
			const lines = () => operator.lines().filter(({ mcp }) => mcp?.outcome);
			await expect.poll(() => lines().length, untilSeen).toBe(rounds);
			expect(new Set(lines().map((line) => line.function_request_id)).size).toBe(rounds);
			expect(lines().map((line) => line.xray_trace_id)).toEqual(roots);
			expect(lines().map((line) => line.cold_start)).toEqual(roots.map((_, round) => round === 0));
			expect(lines().every(({ mcp }) => mcp.source === "reused" && mcp.lifetime === "environment")).toBe(true);
			expect(operator.blobs()).toHaveLength(rounds);
			await expect
				.poll(() => operator.segments().filter(({ name }) => name === "tools/call echo").length, untilSeen)
				.toBe(rounds);
		});
	});
});

describe("the log", () => {
	test("tells of a server's start, its lines on stderr and its end", async () => {
		const operator = await startOperator(wellBehaved, { OPTIONS: JSON.stringify({ standby: 0 }) }, own);
		const { payload } = await operator.invoke({
			...toolCall("exit", { code: 3, stderr: "Fatal: no luck" }),
			id: "mine",
		});
		expect(payload).toMatchObject({ error: { data: { code: "SERVER_EXITED", exitCode: 3 } } });
		await expect.poll(() => operator.lines().filter(({ mcp }) => mcp?.outcome), untilSeen).toHaveLength(1);
		const lines = operator.lines().filter(({ mcp }) => mcp);
		const [first] = lines;
		const about = { server: "well-behaved.mjs", pid: first?.mcp.pid, request_id: "mine", tool: "exit" };
		const common = { function_request_id: first?.function_request_id, cold_start: true, service: "weather" };
		expect(lines).toMatchObject([
			{ level: "INFO", message: "MCP server well-behaved.mjs started", ...common, mcp: { ...about, source: "fresh" } },
			{ level: "ERROR", message: "Fatal: no luck", ...common, mcp: { ...about, stream: "stderr" } },
			{ level: "WARN", ...common, mcp: { ...about, reason: "exited", exit_code: 3 } },
			{
				level: "ERROR",
				...common,
				message: expect.stringContaining("exited with code 3"),
				error: { name: "McpStdioError" },
				mcp: {
					...about,
					method: "tools/call",
					outcome: "failure",
					code: "SERVER_EXITED",
					phase: "request",
					exit_code: 3,
					attempts: 1,
					source: "fresh",
					lifetime: "request",
					duration_ms: expect.any(Number),
					waited_ms: expect.any(Number),
					stderr: ["Fatal: no luck"],
				},
			},
		]);
		expect(first?.function_request_id).toMatch(/^[\da-f-]{36}$/);
	});

	test("tells of prewarming that failed, and of what the server answered as an error", async () => {
		const broken = await startOperator(fixtureServer("exits-at-once"), {}, own);
		await broken.invoke(notification);
		expect(broken.lines().filter(({ level }) => level === "ERROR")).toMatchObject([
			{ mcp: { code: "HANDSHAKE_FAILED", phase: "initialize", server: "exits-at-once.mjs" } },
		]);
		const operator = await startOperator(wellBehaved, {}, own);
		await operator.invoke(toolCall("fail", { code: -32001 }));
		await operator.invoke({ jsonrpc: "2.0", id: 5 });
		await expect.poll(() => operator.lines().filter(({ level }) => level === "WARN"), untilSeen).toHaveLength(2);
		expect(operator.lines().filter(({ level }) => level === "WARN")).toMatchObject([
			{ mcp: { outcome: "error", error_code: -32001, source: "standby" } },
			{ mcp: { outcome: "failure", code: "INVALID_MESSAGE", request_id: 5 } },
		]);
	});

	test("names what the handler answered by itself", async () => {
		const operator = await startOperator(wellBehaved, { HANDLER: "deny" }, own);
		expect((await operator.invoke(toolCall("echo"))).payload).toMatchObject({ error: { message: "Denied" } });
		await expect
			.poll(() => operator.lines().filter(({ mcp }) => mcp?.outcome), untilSeen)
			.toMatchObject([{ level: "WARN", mcp: { tool: "echo", outcome: "error", answered_by: "handler" } }]);
	});
});

describe("the trace", () => {
	test("has a subsegment of each request, siblings below the handler's, with the start of its server below it", async () => {
		const options = JSON.stringify({ standby: 0, maxProcesses: 3 });
		const operator = await startOperator(wellBehaved, { HANDLER: "fanOut", OPTIONS: options }, own);
		const { root } = await operator.invoke(toolCall("echo", { message: "x" }));
		await expect
			.poll(() => flatten(operator.segments()).filter(({ name }) => name === "tools/call echo").length, untilSeen)
			.toBe(3);
		await expect.poll(() => operator.segments().some(({ name }) => name.startsWith("## ")), untilSeen).toBe(true);
		const all = flatten(operator.segments());
		const handled = all.find(({ name }) => name.startsWith("## "));
		const requests = all.filter(({ name }) => name === "tools/call echo");
		expect(new Set(requests.map(({ parent_id }) => parent_id))).toEqual(new Set([handled?.id]));
		for (const { id, annotations, start_time, end_time } of requests) {
			expect(annotations).toEqual({
				mcp_method: "tools/call",
				mcp_tool: "echo",
				mcp_outcome: "result",
				mcp_source: "fresh",
				mcp_waited_ms: expect.any(Number),
			});
			const below = all.filter(({ parent_id }) => parent_id === id);
			expect(below.map(({ name }) => name).sort()).toEqual(["initialize well-behaved.mjs", "start well-behaved.mjs"]);
			for (const part of below) {
				expect(part.start_time).toBeGreaterThanOrEqual(start_time - 0.001);
				expect(part.end_time).toBeLessThanOrEqual(end_time);
			}
		}
		expect(operator.segments().every(({ trace_id }) => trace_id === root)).toBe(true);
	});

	test("has the exception of a failure", async () => {
		const operator = await startOperator(wellBehaved, {}, own);
		await operator.invoke(toolCall("exit", { stderr: "secret-on-stderr" }));
		const requests = () => operator.segments().filter(({ name }) => name === "tools/call exit");
		await expect.poll(requests, untilSeen).toHaveLength(1);
		expect(requests()).toMatchObject([
			{
				fault: true,
				annotations: { mcp_outcome: "failure", mcp_error_code: "SERVER_EXITED" },
				cause: { exceptions: [{ type: "SERVER_EXITED", message: expect.stringContaining("exited with code 0") }] },
			},
		]);
		expect(JSON.stringify(operator.segments())).not.toContain("secret-on-stderr");
	});

	test("reaches the server in _meta and, where it was started for the request, in its environment", async () => {
		const operator = await startOperator(fixtureServer("reveals-trace"), { OPTIONS: '{"standby":0}' }, own);
		const reveal = async (event: Record<string, unknown>) => {
			const { payload, root } = await operator.invoke(event);
			const { content } = payload.result as { content: [{ text: string }] };
			return { root, ...(JSON.parse(content[0].text) as { traceparent?: string; traceId?: string }) };
		};
		const { root, traceparent, traceId } = await reveal(toolCall("reveal"));
		await expect.poll(() => operator.segments().length, untilSeen).toBeGreaterThan(0);
		const [segment] = flatten(operator.segments()).filter(({ name }) => name === "tools/call reveal");
		expect(traceparent).toBe(`00-${root.slice(2).replace("-", "")}-${segment?.id}-01`);
		expect(traceId).toContain(`Root=${root}`);
		const theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
		const call = request("tools/call", { name: "reveal", _meta: { traceparent: theirs } });
		expect((await reveal(call)).traceparent).toBe(theirs);
	});
});

describe("the metrics", () => {
	test("count starts, standby hits, queueing and crash loops", async () => {
		const operator = await startOperator(wellBehaved, {}, own);
		// On a busy machine the next standby may not be ready yet when the next request comes.
		let rounds = 0;
		const hits = () => operator.values(metricNames.standbyHits).filter((count) => count === 1);
		for (; rounds < 50 && hits().length < 3; rounds += 1) {
			await operator.invoke(toolCall("sleep", { ms: 200 }));
		}
		await expect.poll(() => operator.values(metricNames.queueTime).length, untilSeen).toBe(rounds);
		expect(hits().length).toBeGreaterThanOrEqual(3);
		expect(operator.values(metricNames.standbyHits)).toHaveLength(rounds);
		expect(operator.values(metricNames.serverStarts).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(3);
		expect(operator.values(metricNames.latency).every((ms) => ms >= 200)).toBe(true);

		const broken = await startOperator(fixtureServer("exits-at-once"), { OPTIONS: '{"standby":0}' }, own);
		// The pause between two starts may be over when a busy machine sends the next request; it grows with each failure.
		let failed = 0;
		for (; failed < 50 && (failed < 4 || broken.values(metricNames.crashLoops).length === 0); failed += 1) {
			await broken.invoke(toolCall("echo"));
		}
		await expect.poll(() => broken.values(metricNames.failures), untilSeen).toEqual(Array(failed).fill(1));
		await expect.poll(() => broken.values(metricNames.crashLoops).length, untilSeen).toBeGreaterThanOrEqual(1);
		const codes = broken.blobs().flatMap(({ code }) => code ?? []);
		expect(new Set(codes)).toEqual(new Set(["HANDSHAKE_FAILED", "CRASH_LOOP"]));
	});

	test("are published when the handler fails, whose error stays its own", async () => {
		const operator = await startOperator(wellBehaved, { HANDLER: "fail", ORDER: "mcp logger" }, own);
		expect(await operator.invoke(toolCall("echo"))).toMatchObject({
			failed: true,
			payload: { errorMessage: "The handler fails" },
		});
		await expect.poll(() => operator.values(metricNames.requests), untilSeen).toEqual([1]);
	});
});
