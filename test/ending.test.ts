import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import {
	closeStdioServers,
	type ExitReason,
	prewarmStdioServer,
	runStdioRequest,
	type StdioServerParams,
} from "../src/index.ts";
import { isAlive, leaveNothingBehind, leftovers, ownServer, until } from "./support/processes.ts";
import { record, silent } from "./support/recorder.ts";
import {
	callTool,
	echo,
	failureOf,
	fixture,
	inlineFixture,
	jsonOf,
	lifetimes,
	pid,
	textOf,
} from "./support/servers.ts";

leaveNothingBehind(afterAll);

const stubborn: [string, StdioServerParams][] = [
	["ends as it should", fixture("well-behaved")],
	["ignores the end of its input", fixture("ignores-eof")],
	["ignores SIGTERM", fixture("ignores-sigterm")],
	["leaves a grandchild on its pipes", fixture("leaves-grandchild")],
	["leaves a grandchild in a session of its own", fixture("leaves-detached-grandchild")],
	["leaves a grandchild in a session of its own, without its pipes", fixture("leaves-detached-grandchild", "ignored")],
	["is a wrapper", fixture("wrapper")],
	["is a wrapper of one that ignores SIGTERM", fixture("wrapper", "ignores-sigterm")],
];

describe.concurrent("a server that", () => {
	test.each(stubborn)("%s is gone after the answer, which does not wait for that", async (_, server) => {
		const { params, left } = ownServer(server);
		const told = record();
		expect(textOf(await runStdioRequest(params, echo, { standby: 0, observer: told.observer }))).toBe("Echo: hello");
		expect(told.exit).toEqual([]);
		expect(left()).not.toEqual([]);
		await until("nothing is left", () => left().length === 0);
		await until("its end was told", () => told.exit.length === 1);
		expect(told.exit[0]?.reason).toBe("answered");
	});

	test.each(stubborn)("%s is gone when closeStdioServers resolves", async (_, server) => {
		const { params, left } = ownServer(server);
		await prewarmStdioServer(params, { standby: 2 });
		await runStdioRequest(params, echo, { lifetime: "environment" });
		const inFlight = lifetimes.map((lifetime) =>
			runStdioRequest(params, callTool("sleep", { ms: 60_000 }), { lifetime, standby: 2, observer: silent }),
		);
		await runStdioRequest(params, echo, { lifetime: "environment" });
		expect(left().length).toBeGreaterThan(2);
		await closeStdioServers(params);
		expect(left()).toEqual([]);
		for (const response of await Promise.all(inFlight)) expect(failureOf(response).code).toBe("ABORTED");
	});

	test.each([
		["leaves-grandchild", []],
		["leaves-detached-grandchild", []],
		["leaves-detached-grandchild", ["ignored"]],
	])("leaves a grandchild is answered while that lives, and it ends too: %s %j", async (name, args) => {
		const { params } = ownServer(fixture(name, ...args));
		const grandchild = Number(textOf(await runStdioRequest(params, callTool("grandchild"), { standby: 0 })));
		await until("the grandchild has ended", () => !isAlive(grandchild));
	});

	test.each([
		["leaves-grandchild", []],
		["leaves-detached-grandchild", []],
		["leaves-detached-grandchild", ["ignored"]],
	])("dies leaves no grandchild either: %s %j", async (name, args) => {
		const { params } = ownServer(fixture(name, ...args));
		const options = { lifetime: "environment", observer: silent } as const;
		const grandchild = Number(textOf(await runStdioRequest(params, callTool("grandchild"), options)));
		const response = await runStdioRequest(params, callTool("exit", { signal: "SIGKILL" }), options);
		expect(failureOf(response)).toMatchObject({ code: "SERVER_EXITED", signal: "SIGKILL" });
		await until("the grandchild has ended", () => !isAlive(grandchild));
	});

	test("is stopped (SIGSTOP) ends all the same", async () => {
		const { params } = ownServer(fixture("well-behaved"));
		const child = Number(textOf(await runStdioRequest(params, pid, { lifetime: "environment" })));
		process.kill(child, "SIGSTOP");
		await closeStdioServers(params);
		expect(isAlive(child)).toBe(false);
	});
});

describe("closeStdioServers", () => {
	leaveNothingBehind();

	test("closes only the server that it is given", async () => {
		const [one, other] = [fixture("well-behaved", "one"), fixture("well-behaved", "other")];
		const options = { lifetime: "environment", observer: silent } as const;
		const before = await Promise.all(
			[one, other].map(async (params) => textOf(await runStdioRequest(params, pid, options))),
		);
		await closeStdioServers(one);
		expect(isAlive(Number(before[0]))).toBe(false);
		expect(textOf(await runStdioRequest(other, pid, options))).toBe(before[1]);
		expect(textOf(await runStdioRequest(one, pid, options))).not.toBe(before[0]);
	});

	test("resolves when there is nothing to close, and twice at once", async () => {
		await closeStdioServers(fixture("well-behaved", "never started"));
		await prewarmStdioServer(fixture("ignores-sigterm"), { standby: 1 });
		await Promise.all([closeStdioServers(), closeStdioServers()]);
	});

	test("rejects with a TypeError for wrong params", async () => {
		await expect(closeStdioServers({ command: 5 } as unknown as StdioServerParams)).rejects.toThrow(
			/params\.command must be/,
		);
	});

	test("gives requests that wait in the queue and that wait for a start ABORTED", async () => {
		const params = fixture("slow-initialize", "5000");
		const requests = [1, 2, 3].map((id) =>
			runStdioRequest(params, { ...echo, id }, { maxProcesses: 1, standby: 0, observer: silent }),
		);
		await until("one starts", () => leftovers().length > 0);
		await closeStdioServers();
		expect(leftovers()).toEqual([]);
		for (const response of await Promise.all(requests)) expect(failureOf(response).code).toBe("ABORTED");
	});
});

describe.concurrent("the reason for which a process ended is told:", () => {
	const wellBehaved = fixture("well-behaved");
	const environment = { lifetime: "environment" } as const;

	test.each<[ExitReason, StdioServerParams, object, object, object]>([
		["answered", wellBehaved, echo, { standby: 0 }, { exitCode: 0, signal: null }],
		["answered", fixture("ignores-eof"), echo, { standby: 0 }, { exitCode: null, signal: "SIGTERM" }],
		["answered", fixture("ignores-sigterm"), echo, { standby: 0 }, { exitCode: null, signal: "SIGKILL" }],
		["cancelled", fixture("never-answers"), echo, { standby: 0, timeoutMs: 700 }, {}],
		["handshake", fixture("initialize-error"), echo, { standby: 0 }, {}],
		["handshake", fixture("no-version-in-initialize"), echo, environment, {}],
		["exited", wellBehaved, callTool("exit", { code: 9 }), { standby: 0 }, { exitCode: 9, signal: null }],
		["exited", wellBehaved, callTool("exit", { code: 9 }), environment, { exitCode: 9, signal: null }],
		["exited", fixture("killed-mid-request"), echo, environment, { exitCode: null, signal: "SIGKILL" }],
		["exited", fixture("exits-at-once"), echo, environment, { exitCode: 1, signal: null }],
		["output-closed", fixture("closes-stdout"), echo, environment, {}],
		["output-closed", fixture("closes-stdout"), echo, { standby: 0 }, {}],
		["silent", fixture("hangs-busy"), callTool("hang"), { ...environment, timeoutMs: 700 }, { signal: "SIGTERM" }],
	])("%s (%o)", async (reason, server, request, options, facts) => {
		const { params } = ownServer(server);
		const told = record();
		await runStdioRequest(params, request, { ...options, observer: told.observer });
		await until("its end was told", () => told.exit.length > 0);
		expect(told.exit).toMatchObject([{ pid: told.spawn[0]?.pid, reason, ...facts }]);
	});

	test.each([
		["a standby", { standby: 1 }],
		["a kept process", environment],
	])("closed, for %s", async (_, options) => {
		const { params } = ownServer(wellBehaved);
		const told = record();
		await prewarmStdioServer(params, { ...options, observer: told.observer });
		await closeStdioServers(params);
		expect(told.exit).toMatchObject([{ reason: "closed" }]);
	});
});

test("a server that says on its way out what it was asked is still heard", async () => {
	const params = inlineFixture(`serve({ tools: { last: () => {
		setTimeout(() => process.stdout.write("", () => process.exit(0)));
		return "Last words";
	} } });`);
	for (const lifetime of lifetimes) {
		expect(textOf(await runStdioRequest(params, callTool("last"), { lifetime, standby: 0 }))).toBe("Last words");
	}
});

const hostScript = fileURLToPath(new URL("support/host.mjs", import.meta.url));

function startHost(job: object, loads = "") {
	const host = spawn(process.execPath, [hostScript, JSON.stringify(job), loads], { stdio: ["ignore", "pipe", "pipe"] });
	const exited = once(host, "close");
	let stderr = "";
	host.stderr.on("data", (chunk) => {
		stderr += chunk;
	});
	return { host, exited, hostPid: host.pid ?? 0, stderr: () => stderr };
}

describe.concurrent("a host process that", () => {
	const servers: [string, StdioServerParams][] = [
		["ignores-sigterm", fixture("ignores-sigterm")],
		["leaves-detached-grandchild", fixture("leaves-detached-grandchild", "ignored")],
	];
	const ends = [
		["exits", "exit", undefined, [3, null]],
		["fails by an exception", "throw", undefined, [1, null]],
		["fails by a rejection", "reject", undefined, [1, null]],
		["gets SIGTERM", "wait", "SIGTERM", [null, "SIGTERM"]],
		["gets SIGINT", "wait", "SIGINT", [null, "SIGINT"]],
		["gets SIGHUP", "wait", "SIGHUP", [null, "SIGHUP"]],
		["ends by its own handler of SIGTERM", "own-handler", "SIGTERM", [4, null]],
		["ends by a handler of SIGTERM that is called once", "own-handler-once", "SIGTERM", [4, null]],
	] as const;

	test.each(ends.flatMap((end) => servers.map((server) => [...end, ...server] as const)))(
		"%s (%s, %s: %j) leaves nothing of %s",
		async (_, end, signal, outcome, __, params) => {
			const { host, exited, hostPid } = startHost({
				params,
				options: { lifetime: "environment", standby: 1 },
				requests: [pid],
				pending: callTool("sleep", { ms: 60_000 }),
				end,
			});
			const [line] = await once(host.stdout, "data");
			const [answer] = JSON.parse(line);
			if (signal) {
				expect(isAlive(Number(textOf(answer)))).toBe(true);
				host.kill(signal);
			}
			expect(await exited).toEqual(outcome);
			await until("nothing is left", () => leftovers(hostPid).length === 0);
		},
	);

	test.each(
		["before", "behind"].flatMap((when) =>
			["signal-exit", "signal-exit-3", "signal-exit-3 signal-exit"].flatMap((packages) =>
				(["SIGINT", "SIGTERM"] as const).map((signal) => [when, packages, signal] as const),
			),
		),
	)("has loaded, %s this package, %s ends by %s and leaves nothing", async (when, packages, signal) => {
		const job = { params: fixture("ignores-sigterm"), options: { standby: 1 }, requests: [echo], end: "wait" };
		const { host, exited, hostPid } = startHost(job, `${when} ${packages}`);
		await once(host.stdout, "data");
		host.kill(signal);
		expect(await exited).toEqual([null, signal]);
		await until("nothing is left", () => leftovers(hostPid).length === 0);
	});

	test("has loaded signal-exit and its own handler ends as that says", async () => {
		const job = { params: fixture("well-behaved"), options: { standby: 1 }, requests: [echo], end: "own-handler" };
		const { host, exited, hostPid } = startHost(job, "behind signal-exit");
		await once(host.stdout, "data");
		host.kill("SIGTERM");
		expect(await exited).toEqual([4, null]);
		await until("nothing is left", () => leftovers(hostPid).length === 0);
	});

	test.each([
		["a standby", { standby: 2 }, [echo]],
		["a kept process", { lifetime: "environment" }, [echo]],
		["a process that has only been prewarmed", { lifetime: "environment" }, []],
	])("has nothing left to do exits by itself, although %s waits", async (_, options, requests) => {
		const params = fixture("ignores-sigterm");
		const { exited, hostPid, stderr } = startHost({ params, options, prewarm: true, requests, end: "nothing" });
		expect(await exited).toEqual([0, null]);
		expect(stderr()).toBe("");
		await until("nothing is left", () => leftovers(hostPid).length === 0);
	});

	test("is killed leaves no server that ends with its input", async () => {
		const { host, exited, hostPid } = startHost({
			params: fixture("well-behaved"),
			options: { standby: 1 },
			prewarm: true,
			requests: [echo],
			end: "wait",
		});
		await once(host.stdout, "data");
		host.kill("SIGKILL");
		await exited;
		await until("nothing is left", () => leftovers(hostPid).length === 0);
	});

	test("waits for nothing but an answer gets it, though all processes are unreferenced", async () => {
		const { host, exited } = startHost({
			params: fixture("slow-initialize", "300"),
			options: { standby: 0 },
			requests: [callTool("args"), callTool("sleep", { ms: 200 })],
			end: "nothing",
		});
		const [line] = await once(host.stdout, "data");
		const [args, slept] = JSON.parse(line);
		expect(jsonOf(args)).toEqual(["300"]);
		expect(textOf(slept)).toBe("Slept 200 ms");
		expect(await exited).toEqual([0, null]);
	});
});
