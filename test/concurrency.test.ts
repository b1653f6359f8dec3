import { describe, expect, test } from "vitest";
import { type JsonRpcNotification, runStdioRequest } from "../src/index.ts";
import { leaveNothingBehind, until } from "./support/processes.ts";
import { record, silent } from "./support/recorder.ts";
import { callTool, echo, failureOf, fixture, jsonOf, pid, textOf } from "./support/servers.ts";

leaveNothingBehind();

const wellBehaved = fixture("well-behaved");

describe("in the lifetime environment", () => {
	test("300 calls at once, all under the same id and token, get their own answer and their own progress", async () => {
		const told = record();
		const options = { lifetime: "environment", observer: told.observer } as const;
		const calls = Array.from({ length: 300 }, (_, index) => index);
		const outcomes = await Promise.all(
			calls.map(async (index) => {
				const heard: JsonRpcNotification[] = [];
				const steps = index % 7;
				const ask = { id: "same", progressToken: "same" };
				const message = `call ${index}`;
				const [progress, echoed] = await Promise.all([
					runStdioRequest(wellBehaved, callTool("progress", { steps }, ask), {
						...options,
						onNotification: (notification) => heard.push(notification),
					}),
					runStdioRequest(wellBehaved, callTool("echo", { message }, ask), options),
				]);
				return { heard: heard.map(({ params }) => params), progress, echoed };
			}),
		);
		for (const [index, { heard, progress, echoed }] of outcomes.entries()) {
			const total = index % 7;
			expect([progress?.id, textOf(progress)]).toEqual(["same", "Done"]);
			expect([echoed?.id, textOf(echoed)]).toEqual(["same", `Echo: call ${index}`]);
			expect(heard).toEqual(
				Array.from({ length: total }, (_, step) => ({ progressToken: "same", progress: step + 1, total })),
			);
		}
		expect(told.spawn).toHaveLength(1);

		const seen: { id?: number; method: string; progressToken?: number }[] = jsonOf(
			await runStdioRequest(wellBehaved, callTool("requests-seen"), options),
		);
		const calledWith = seen.filter(
			({ method, progressToken }) => method === "tools/call" && progressToken !== undefined,
		);
		expect(calledWith).toHaveLength(600);
		expect(new Set(seen.map(({ id }) => id)).size).toBe(600 + 3);
		expect(new Set(calledWith.map(({ progressToken }) => progressToken)).size).toBe(600);
	});

	test("answers may come in any order", async () => {
		const params = fixture("out-of-order");
		const options = { lifetime: "environment" } as const;
		await runStdioRequest(params, echo, options);
		const order: number[] = [];
		const responses = await Promise.all(
			[0, 1, 2, 3, 4].map(async (id) => {
				const response = await runStdioRequest(params, callTool("echo", { message: `${id}` }, { id }), options);
				order.push(id);
				return response;
			}),
		);
		expect(responses.map((response) => [response?.id, textOf(response)])).toEqual(
			[0, 1, 2, 3, 4].map((id) => [id, `Echo: ${id}`]),
		);
		expect(order).toEqual([4, 3, 2, 1, 0]);
	});

	test("log messages reach nobody while several requests are in flight, and progress only its own request", async () => {
		const told = record();
		const heard: [string, string, unknown][] = [];
		const options = (who: string) => ({
			lifetime: "environment" as const,
			observer: told.observer,
			onNotification: ({ method, params }: JsonRpcNotification) => heard.push([who, method, params?.progressToken]),
		});
		await runStdioRequest(wellBehaved, echo, options("nobody"));
		const slow = [1, 2].map((id) =>
			runStdioRequest(wellBehaved, callTool("sleep", { ms: 300 }, { id, progressToken: "t" }), options(`slow ${id}`)),
		);
		await runStdioRequest(wellBehaved, callTool("log", {}, { progressToken: "t" }), options("logger"));
		await runStdioRequest(wellBehaved, callTool("progress", { steps: 2 }, { progressToken: "t" }), options("worker"));
		await Promise.all(slow);
		expect(heard).toEqual([
			["worker", "notifications/progress", "t"],
			["worker", "notifications/progress", "t"],
		]);
		expect(told.noise).toMatchObject([{ text: "notifications/message" }]);

		await runStdioRequest(wellBehaved, callTool("log"), options("alone"));
		expect(heard.at(-1)).toEqual(["alone", "notifications/message", undefined]);
	});

	test("callers who come while the process starts share it", async () => {
		const told = record();
		const params = fixture("slow-initialize", "200");
		const options = { lifetime: "environment", observer: told.observer } as const;
		const pids = await Promise.all(Array.from({ length: 20 }, () => runStdioRequest(params, pid, options)));
		expect(new Set(pids.map(textOf)).size).toBe(1);
		expect(told.spawn).toHaveLength(1);
	});
});

describe("in the lifetime request", () => {
	/** The largest number of processes that were alive at one time. */
	function countAlive() {
		const told = record();
		let alive = 0;
		let most = 0;
		const observer = {
			...told.observer,
			spawn: () => {
				alive += 1;
				most = Math.max(most, alive);
			},
			exit: () => {
				alive -= 1;
			},
		};
		return { observer, most: () => most };
	}

	test.each([0, 2])(
		"60 calls at once have a process each, never more than four alive, with standby: %i",
		async (standby) => {
			const { observer, most } = countAlive();
			const responses = await Promise.all(
				Array.from({ length: standby === 0 ? 60 : 12 }, (_, id) =>
					runStdioRequest(wellBehaved, { ...pid, id }, { maxProcesses: 4, standby, observer }),
				),
			);
			expect(responses.map((response) => response?.id)).toEqual(responses.map((_, id) => id));
			expect(new Set(responses.map(textOf)).size).toBe(responses.length);
			expect(most()).toBe(4);
		},
	);

	test("requests are served in the order they came", async () => {
		const order: number[] = [];
		await Promise.all(
			[0, 1, 2, 3, 4].map(async (id) => {
				await runStdioRequest(wellBehaved, { ...echo, id }, { maxProcesses: 1, standby: 0 });
				order.push(id);
			}),
		);
		expect(order).toEqual([0, 1, 2, 3, 4]);
	});

	test("a server that takes its time to end does not hold up those who wait", async () => {
		const params = fixture("ignores-sigterm");
		const responses = await Promise.all(
			[0, 1, 2].map((id) =>
				runStdioRequest(params, { ...echo, id }, { maxProcesses: 1, standby: 0, timeoutMs: 15_000 }),
			),
		);
		expect(responses.map(textOf)).toEqual(["Echo: hello", "Echo: hello", "Echo: hello"]);
	});

	test("a request that has waited for a process until its deadline is told BUSY", async () => {
		const told = record();
		const options = { maxProcesses: 1, standby: 0, observer: told.observer };
		const first = runStdioRequest(wellBehaved, callTool("sleep", { ms: 1200 }), options);
		await until("the first is served", () => told.request.length === 1);
		const second = await runStdioRequest(wellBehaved, { ...echo, id: 2 }, { ...options, timeoutMs: 150 });
		expect(second).toMatchObject({ id: 2, error: { code: -32603, data: { code: "BUSY", phase: "queue" } } });
		const third = runStdioRequest(wellBehaved, { ...echo, id: 3 }, { ...options, signal: AbortSignal.timeout(150) });
		expect(failureOf(await third)).toMatchObject({ code: "ABORTED", phase: "queue" });
		expect(textOf(await first)).toBe("Slept 1200 ms");
		expect(textOf(await runStdioRequest(wellBehaved, echo, options))).toBe("Echo: hello");
	});

	test("notifications of requests at the same time are told apart", async () => {
		const heard = await Promise.all(
			["a", "b", "c"].map(async (data) => {
				const received: unknown[] = [];
				await runStdioRequest(wellBehaved, callTool("log", { data }), {
					standby: 0,
					observer: silent,
					onNotification: ({ params }) => received.push(params?.data),
				});
				return received;
			}),
		);
		expect(heard).toEqual([["a"], ["b"], ["c"]]);
	});
});
