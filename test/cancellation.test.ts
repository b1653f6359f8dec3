import { afterAll, describe, expect, test } from "vitest";
import { prewarmStdioServer, runStdioRequest, type StdioRequestOptions } from "../src/index.ts";
import { isAlive, leaveNothingBehind, ownServer, until } from "./support/processes.ts";
import { record, silent } from "./support/recorder.ts";
import { callTool, echo, errorOf, failureOf, fixture, jsonOf, lifetimes, pid, textOf } from "./support/servers.ts";

leaveNothingBehind(afterAll);

const context = (remainingMs: number) => {
	const until = Date.now() + remainingMs;
	return { getRemainingTimeInMillis: () => until - Date.now() };
};

describe.concurrent.each(lifetimes)("in the lifetime %s", (lifetime) => {
	const quiet = { lifetime, standby: 0, observer: silent };

	test.each<[string, () => StdioRequestOptions, number, number]>([
		["timeoutMs", () => ({ timeoutMs: 900 }), 900, 3900],
		["a Lambda context", () => ({ deadline: context(4000) }), 3500, 4000],
		["a Lambda context with little time", () => ({ deadline: context(2000) }), 1600, 2000],
		["a context that wraps Lambda's", () => ({ deadline: { lambdaContext: context(4000) } }), 3500, 4000],
		["an epoch", () => ({ deadline: Date.now() + 4000 }), 3500, 4000],
		["a deadline with its own reserve", () => ({ deadline: context(4000), deadlineReserveMs: 700 }), 3300, 4000],
		["the earlier of timeoutMs and deadline", () => ({ deadline: context(60_000), timeoutMs: 900 }), 900, 3900],
		["the earlier of deadline and timeoutMs", () => ({ deadline: context(3000), timeoutMs: 60_000 }), 2500, 3000],
	])("a request ends in time by %s", async (_, options, limitMs, latestMs) => {
		const { params } = ownServer(fixture("never-answers"));
		await prewarmStdioServer(params, { ...quiet, standby: 1 });
		const response = await runStdioRequest(params, { ...echo, id: "late" }, { ...quiet, ...options() });
		expect(response).toMatchObject({
			id: "late",
			error: { code: -32603, data: { code: "TIMEOUT", phase: "request", attempts: 1 } },
		});
		const { elapsedMs } = failureOf(response);
		expect(elapsedMs).toBeGreaterThanOrEqual(limitMs - 20);
		expect(elapsedMs).toBeLessThan(latestMs);
		const named = Number(/did not answer tools\/call within (\d+) ms/.exec(errorOf(response).message)?.[1]);
		expect(Math.abs(named - limitMs)).toBeLessThan(100);
	});

	test.each<[string, StdioRequestOptions]>([
		["timeoutMs is 0", { timeoutMs: 0 }],
		["the deadline has passed", { deadline: 1 }],
		["no time is left in Lambda", { deadline: { getRemainingTimeInMillis: () => 0 } }],
		["the signal has fired already", { signal: AbortSignal.abort() }],
	])("a request ends at once when %s", async (_, options) => {
		const { params } = ownServer(fixture("well-behaved"));
		const response = await runStdioRequest(params, echo, { ...quiet, ...options });
		expect(failureOf(response).code).toBe(options.signal ? "ABORTED" : "TIMEOUT");
	});

	test("a timeout of any length is possible", async () => {
		const { params } = ownServer(fixture("well-behaved"));
		for (const timeoutMs of [2 ** 31, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY]) {
			expect(textOf(await runStdioRequest(params, echo, { ...quiet, timeoutMs }))).toBe("Echo: hello");
		}
	});

	test("a request is aborted while its process starts", async () => {
		const controller = new AbortController();
		const told = record();
		const { params } = ownServer(fixture("never-answers-initialize"));
		const response = runStdioRequest(params, echo, {
			...quiet,
			observer: told.observer,
			signal: controller.signal,
		});
		await until("it starts", () => told.spawn.length === 1);
		controller.abort(new Error("Enough"));
		expect(failureOf(await response)).toMatchObject({ code: "ABORTED", phase: "initialize" });
	});

	test("a request is aborted while it is in flight", async () => {
		const controller = new AbortController();
		const told = record();
		const { params } = ownServer(fixture("never-answers"));
		const response = runStdioRequest(params, echo, { ...quiet, observer: told.observer, signal: controller.signal });
		await until("it is in flight", () => told.request.length === 1);
		const reason = new Error("Enough");
		controller.abort(reason);
		expect(failureOf(await response)).toMatchObject({ code: "ABORTED", phase: "request" });
		expect(errorOf(await response).message).toContain("when the caller aborted");
		expect(told.failure).toMatchObject([{ requestId: 1, method: "tools/call", error: { code: "ABORTED" } }]);
		expect(told.failure[0]?.error.cause).toBe(reason);
	});

	test("a signal that fires after the answer changes nothing", async () => {
		const { params } = ownServer(fixture("well-behaved"));
		const controller = new AbortController();
		const response = await runStdioRequest(params, echo, { ...quiet, signal: controller.signal });
		controller.abort();
		expect(textOf(response)).toBe("Echo: hello");
		expect(textOf(await runStdioRequest(params, echo, quiet))).toBe("Echo: hello");
	});

	test("a request that runs past its deadline does not spoil the next", async () => {
		const { params } = ownServer(fixture("hangs-busy"));
		await runStdioRequest(params, callTool("hang"), { ...quiet, timeoutMs: 700 });
		expect(textOf(await runStdioRequest(params, echo, quiet))).toBe("Echo: hello");
	});
});

describe.concurrent("a kept process", () => {
	const environment = { lifetime: "environment", observer: silent } as const;

	test("is told which request was given up, and goes on when it reacts", async () => {
		const { params } = ownServer(fixture("well-behaved"));
		const told = record();
		const options = { lifetime: "environment", observer: told.observer } as const;
		const before = textOf(await runStdioRequest(params, pid, options));
		const response = await runStdioRequest(params, callTool("sleep", { ms: 60_000 }), {
			...options,
			timeoutMs: 100,
		});
		expect(failureOf(response)).toMatchObject({ code: "TIMEOUT", phase: "request" });
		const cancelled = jsonOf(await runStdioRequest(params, callTool("cancellations"), options));
		const seen = jsonOf(await runStdioRequest(params, callTool("requests-seen"), options));
		const calls = seen.filter(({ method }: { method: string }) => method === "tools/call");
		expect(cancelled).toEqual([calls[1].id]);
		expect(textOf(await runStdioRequest(params, pid, options))).toBe(before);
		expect(told.spawn).toHaveLength(1);
	});

	test("is told of an abort, too", async () => {
		const { params } = ownServer(fixture("well-behaved"));
		const controller = new AbortController();
		const told = record();
		const response = runStdioRequest(params, callTool("sleep", { ms: 60_000 }), {
			lifetime: "environment",
			observer: told.observer,
			signal: controller.signal,
		});
		await until("it is in flight", () => told.request.length === 1);
		controller.abort();
		expect(failureOf(await response).code).toBe("ABORTED");
		const cancelled = jsonOf(await runStdioRequest(params, callTool("cancellations"), environment));
		expect(cancelled).toHaveLength(1);
	});

	test("that answers a given up request all the same gives nobody a wrong answer", async () => {
		const told = record();
		const { params } = ownServer(fixture("answers-late"));
		const options = { lifetime: "environment", observer: told.observer } as const;
		const before = textOf(await runStdioRequest(params, pid, options));
		const sleeping = callTool("sleep", { ms: 60_000 }, { id: 7 });
		expect(failureOf(await runStdioRequest(params, sleeping, { ...options, timeoutMs: 100 })).code).toBe("TIMEOUT");
		const next = await runStdioRequest(params, callTool("sleep", { ms: 500 }, { id: 7 }), options);
		expect(textOf(next)).toBe("Slept 500 ms");
		expect(told.noise).toMatchObject([{ problem: "a late or second answer" }]);
		expect(textOf(await runStdioRequest(params, pid, options))).toBe(before);
	});

	test("goes on with the other requests while one is given up", async () => {
		const { params } = ownServer(fixture("well-behaved"));
		const before = textOf(await runStdioRequest(params, pid, environment));
		const others = [300, 500].map((ms) => runStdioRequest(params, callTool("sleep", { ms }), environment));
		const sleeping = callTool("sleep", { ms: 60_000 });
		const given = [50, 100, 150].map((timeoutMs) => runStdioRequest(params, sleeping, { ...environment, timeoutMs }));
		for (const response of await Promise.all(given)) expect(failureOf(response).code).toBe("TIMEOUT");
		expect((await Promise.all(others)).map(textOf)).toEqual(["Slept 300 ms", "Slept 500 ms"]);
		expect(textOf(await runStdioRequest(params, pid, environment))).toBe(before);
	});

	test.each([
		["spins", (hanging: number) => hanging],
		["is stopped", (stopped: number) => process.kill(stopped, "SIGSTOP")],
	])("is replaced when it is silent after a request was given up, because it %s", async (what, stop) => {
		const told = record();
		const { params } = ownServer(fixture("hangs-busy"));
		const options = { lifetime: "environment", observer: told.observer } as const;
		const before = Number(textOf(await runStdioRequest(params, pid, options)));
		if (what === "is stopped") stop(before);
		const hang = what === "spins" ? callTool("hang") : echo;
		expect(failureOf(await runStdioRequest(params, hang, { ...options, timeoutMs: 200 })).code).toBe("TIMEOUT");
		const after = Number(textOf(await runStdioRequest(params, pid, options)));
		expect(after).not.toBe(before);
		await until("the silent one has ended", () => told.exit.length === 1);
		expect(told.exit).toMatchObject([{ pid: before, reason: "silent" }]);
		expect(isAlive(before)).toBe(false);
	});

	test("takes along the requests that it held when it is replaced, and none hangs", async () => {
		const { params } = ownServer(fixture("hangs-busy"));
		await runStdioRequest(params, echo, environment);
		const other = runStdioRequest(params, callTool("sleep", { ms: 60_000 }, { id: 2 }), environment);
		const hanging = runStdioRequest(params, callTool("hang"), { ...environment, timeoutMs: 200 });
		expect(failureOf(await hanging).code).toBe("TIMEOUT");
		expect(await other).toMatchObject({ id: 2, error: { data: { code: "SERVER_EXITED", phase: "request" } } });
		expect(errorOf(await other).message).toContain("did not react any more");
	});
});

test("an isolated process is ended, not asked, when its request is given up", async () => {
	const { params } = ownServer(fixture("well-behaved"));
	const told = record();
	await runStdioRequest(params, callTool("sleep", { ms: 60_000 }), {
		standby: 0,
		timeoutMs: 700,
		observer: told.observer,
	});
	await until("it has ended", () => told.exit.length === 1);
	expect(told.exit).toMatchObject([{ reason: "cancelled" }]);
});

describe.concurrent.each(lifetimes)("a start that hangs, in the lifetime %s", (lifetime) => {
	test("is waited for by three requests, and then another process is started", async () => {
		const { params } = ownServer(fixture("never-answers-initialize"));
		const told = record();
		const options = { lifetime, timeoutMs: 300, observer: told.observer };
		for (const spawns of [1, 1, 1, 2]) {
			const response = await runStdioRequest(params, echo, options);
			expect(failureOf(response)).toMatchObject({ code: "TIMEOUT", phase: "initialize" });
			expect(told.spawn).toHaveLength(spawns);
		}
		await until("the first has ended", () => told.exit.length === 1);
		expect(told.exit[0]).toMatchObject({ pid: told.spawn[0]?.pid, reason: "handshake" });
	});

	test("serves the next request when it was only slow", async () => {
		const { params } = ownServer(fixture("slow-initialize", "900"));
		const told = record();
		const options = { lifetime, observer: told.observer };
		const first = await runStdioRequest(params, echo, { ...options, timeoutMs: 300 });
		expect(failureOf(first)).toMatchObject({ code: "TIMEOUT", phase: "initialize" });
		const second = await runStdioRequest(params, pid, options);
		expect(Number(textOf(second))).toBe(told.spawn[0]?.pid);
	});
});
