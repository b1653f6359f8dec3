import { describe, expect, test } from "vitest";
import { prewarmStdioServer, runStdioRequest } from "../src/index.ts";
import { isAlive, leaveNothingBehind, until } from "./support/processes.ts";
import { record, silent } from "./support/recorder.ts";
import { callTool, echo, failureOf, fixture, initialize, jsonOf, pid, textOf } from "./support/servers.ts";

leaveNothingBehind();

const wellBehaved = fixture("well-behaved");
const counter = callTool("counter");
const exit = callTool("exit", { code: 9 });

describe("in the lifetime request", () => {
	test.each([0, 1, 2])("each request has a process that served nobody before, with standby: %i", async (standby) => {
		const counts = [];
		const pids = new Set<string>();
		for (let round = 0; round < 4; round++) {
			counts.push(textOf(await runStdioRequest(wellBehaved, counter, { standby })));
			pids.add(textOf(await runStdioRequest(wellBehaved, pid, { standby })));
		}
		expect(counts).toEqual(["1", "1", "1", "1"]);
		expect(pids.size).toBe(4);
	});

	test("it is the default", async () => {
		expect(textOf(await runStdioRequest(wellBehaved, counter))).toBe("1");
		expect(textOf(await runStdioRequest(wellBehaved, counter))).toBe("1");
	});

	test("a process sees its handshake and one request, nothing else", async () => {
		await prewarmStdioServer(wellBehaved, { standby: 1 });
		const seen = jsonOf(await runStdioRequest(wellBehaved, callTool("requests-seen"), { standby: 1 }));
		expect(seen.map(({ method }: { method: string }) => method)).toEqual([
			"initialize",
			"notifications/initialized",
			"tools/call",
		]);
	});

	test("a request is served by a process that was started before it came", async () => {
		const told = record();
		const options = { standby: 1, observer: told.observer };
		await prewarmStdioServer(wellBehaved, options);
		const standby = told.spawn[0];
		expect(standby?.source).toBe("standby");
		expect(told.ready.map((event) => event.pid)).toEqual([standby?.pid]);
		for (let round = 0; round < 3; round++) {
			const waiting = told.spawn.at(-1)?.pid;
			const answered = Number(textOf(await runStdioRequest(wellBehaved, pid, options)));
			expect(answered).toBe(waiting);
			expect(told.request.at(-1)).toMatchObject({ source: "standby", pid: waiting });
			await until("the next standby is ready", () => told.ready.length === round + 2);
		}
	});

	test("a request without a standby starts a process", async () => {
		const told = record();
		const answered = Number(textOf(await runStdioRequest(wellBehaved, pid, { standby: 0, observer: told.observer })));
		expect(told.spawn).toMatchObject([{ source: "fresh", pid: answered }]);
		expect(told.request).toMatchObject([{ source: "fresh", pid: answered }]);
	});

	test.each([
		["exits by itself", fixture("exits-when-idle", "initialize"), () => {}],
		["is killed", wellBehaved, (waiting: number) => process.kill(waiting, "SIGKILL")],
	])("a standby that %s while it waits is not given out", async (_, params, end) => {
		const told = record();
		const options = { standby: 1, observer: told.observer };
		await prewarmStdioServer(params, options);
		const dead = told.spawn[0]?.pid ?? 0;
		end(dead);
		await until("the standby is dead", () => told.exit.length > 0);
		expect(told.exit[0]).toMatchObject({ pid: dead, reason: "exited" });
		expect(textOf(await runStdioRequest(params, echo, options))).toBe("Echo: hello");
		expect(told.answer[0]?.pid).not.toBe(dead);
	});

	test("a standby that dies while it waits is not replaced over and over", async () => {
		const told = record();
		const params = fixture("exits-when-idle", "initialize");
		await prewarmStdioServer(params, { standby: 1, observer: told.observer });
		await until("the standby is dead", () => told.exit.length > 0);
		await new Promise((resolve) => setTimeout(resolve, 300));
		expect(told.spawn).toHaveLength(1);
	});

	test("a request after a death has a process of its own again", async () => {
		const options = { standby: 1, observer: silent };
		expect(failureOf(await runStdioRequest(wellBehaved, exit, options))).toMatchObject({ code: "SERVER_EXITED" });
		expect(textOf(await runStdioRequest(wellBehaved, counter, options))).toBe("1");
	});

	test("a request whose caller gave up while its process started leaves that process for the next", async () => {
		const told = record();
		const params = fixture("slow-initialize", "600");
		const options = { standby: 1, observer: told.observer };
		const response = await runStdioRequest(params, pid, { ...options, timeoutMs: 100 });
		expect(failureOf(response)).toMatchObject({ code: "TIMEOUT", phase: "initialize" });
		const answered = Number(textOf(await runStdioRequest(params, pid, options)));
		expect(answered).toBe(told.spawn[0]?.pid);
	});
});

describe("in the lifetime environment", () => {
	const environment = { lifetime: "environment" } as const;

	test("one process counts up over all requests", async () => {
		const told = record();
		const options = { ...environment, observer: told.observer };
		const counts = [];
		for (let round = 0; round < 5; round++) counts.push(textOf(await runStdioRequest(wellBehaved, counter, options)));
		expect(counts).toEqual(["1", "2", "3", "4", "5"]);
		expect(told.spawn).toMatchObject([{ source: "kept" }]);
		expect(new Set(told.request.map((event) => event.source))).toEqual(new Set(["kept"]));
	});

	test("the process that prewarming started serves the first request", async () => {
		const told = record();
		const options = { ...environment, observer: told.observer };
		expect(await prewarmStdioServer(wellBehaved, options)).toBeUndefined();
		expect(Number(textOf(await runStdioRequest(wellBehaved, pid, options)))).toBe(told.spawn[0]?.pid);
		expect(told.spawn).toHaveLength(1);
	});

	test("the process that answered initialize serves the first request", async () => {
		const told = record();
		const options = { ...environment, observer: told.observer };
		await runStdioRequest(wellBehaved, initialize("2025-11-25"), options);
		expect(Number(textOf(await runStdioRequest(wellBehaved, pid, options)))).toBe(told.spawn[0]?.pid);
	});

	test("a process that died is replaced, with a handshake of its own", async () => {
		const options = { ...environment, observer: silent };
		const params = fixture("gates-initialize");
		const first = textOf(await runStdioRequest(params, pid, options));
		await runStdioRequest(params, counter, options);
		expect(failureOf(await runStdioRequest(params, exit, options))).toMatchObject({
			code: "SERVER_EXITED",
			exitCode: 9,
			phase: "request",
		});
		expect(textOf(await runStdioRequest(params, counter, options))).toBe("1");
		expect(textOf(await runStdioRequest(params, pid, options))).not.toBe(first);
		const seen = jsonOf(await runStdioRequest(params, callTool("requests-seen"), options));
		expect(seen.slice(0, 2)).toMatchObject([{ method: "initialize" }, { method: "notifications/initialized" }]);
	});

	test.each([
		["exits when it is idle", fixture("exits-when-idle"), () => {}],
		["is killed when it is idle", wellBehaved, (idle: number) => process.kill(idle, "SIGKILL")],
	])("a process that %s is replaced before the next request", async (_, params, end) => {
		const told = record();
		const options = { ...environment, observer: told.observer };
		await runStdioRequest(params, echo, options);
		const first = told.spawn[0]?.pid ?? 0;
		end(first);
		await until("it is dead", () => told.exit.length === 1);
		expect(textOf(await runStdioRequest(params, echo, options))).toBe("Echo: hello");
		expect(told.spawn).toHaveLength(2);
		expect(told.failure).toEqual([]);
		expect(isAlive(first)).toBe(false);
	});

	test("all requests that a dying process held fail, and those that come next are answered", async () => {
		const options = { ...environment, observer: silent };
		await runStdioRequest(wellBehaved, echo, options);
		const held = [1, 2, 3].map((id) =>
			runStdioRequest(wellBehaved, callTool("sleep", { ms: 60_000 }, { id }), options),
		);
		held.push(runStdioRequest(wellBehaved, { ...exit, id: 4 }, options));
		for (const [index, response] of (await Promise.all(held)).entries()) {
			expect(response?.id).toBe(index + 1);
			expect(failureOf(response)).toMatchObject({ code: "SERVER_EXITED", exitCode: 9, attempts: 1 });
		}
		expect(textOf(await runStdioRequest(wellBehaved, counter, options))).toBe("1");
	});

	test("a start that one caller gave up on serves the next", async () => {
		const told = record();
		const params = fixture("slow-initialize", "600");
		const options = { ...environment, observer: told.observer };
		const response = await runStdioRequest(params, echo, { ...options, timeoutMs: 100 });
		expect(failureOf(response)).toMatchObject({ code: "TIMEOUT", phase: "initialize" });
		expect(textOf(await runStdioRequest(params, echo, options))).toBe("Echo: hello");
		expect(told.spawn).toHaveLength(1);
	});
});

test("servers with different params share no process, and those with equal params do", async () => {
	const options = { lifetime: "environment" } as const;
	const ask = async (params: typeof wellBehaved) => textOf(await runStdioRequest(params, pid, options));
	const first = await ask(wellBehaved);
	expect(await ask(fixture("well-behaved"))).toBe(first);
	expect(await ask({ ...wellBehaved, env: { TENANT: "a" } })).not.toBe(first);
	expect(await ask(fixture("well-behaved", "--tenant=b"))).not.toBe(first);
});

test("servers that have served nobody for longest are closed when there are very many", async () => {
	const told = record();
	const options = { lifetime: "environment", observer: told.observer } as const;
	for (let server = 0; server < 10; server++)
		await runStdioRequest(fixture("well-behaved", `${server}`), echo, options);
	await until("the oldest two are closed", () => told.exit.length === 2);
	expect(told.exit.map((event) => event.pid).sort()).toEqual(
		told.spawn
			.slice(0, 2)
			.map((event) => event.pid)
			.sort(),
	);
	expect(told.exit.every(({ reason }) => reason === "closed")).toBe(true);
});
