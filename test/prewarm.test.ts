import { describe, expect, test } from "vitest";
import {
	closeStdioServers,
	McpStdioError,
	prewarmStdioServer,
	runStdioRequest,
	type StdioServerParams,
} from "../src/index.ts";
import { leaveNothingBehind, leftovers, until } from "./support/processes.ts";
import { record, silent } from "./support/recorder.ts";
import { echo, fixture, lifetimes, pid, textOf } from "./support/servers.ts";

leaveNothingBehind();

const wellBehaved = fixture("well-behaved");

/** Long enough for a standby to be started that should not be. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 150));

describe("prewarming", () => {
	test.each([0, 1, 3])("starts as many standbys as asked for: %i", async (standby) => {
		const told = record();
		expect(await prewarmStdioServer(wellBehaved, { standby, observer: told.observer })).toBeUndefined();
		expect(told.spawn.map(({ source }) => source)).toEqual(Array(standby).fill("standby"));
		expect(told.ready).toHaveLength(standby);
	});

	test("starts only what is missing", async () => {
		const told = record();
		for (const standby of [1, 2, 2, 1]) await prewarmStdioServer(wellBehaved, { standby, observer: told.observer });
		expect(told.spawn).toHaveLength(2);
		const environment = { lifetime: "environment", observer: told.observer } as const;
		await Promise.all([prewarmStdioServer(wellBehaved, environment), prewarmStdioServer(wellBehaved, environment)]);
		expect(told.spawn.map(({ source }) => source)).toEqual(["standby", "standby", "kept"]);
	});

	test("keeps to maxProcesses", async () => {
		const told = record();
		await prewarmStdioServer(wellBehaved, { standby: 5, maxProcesses: 2, observer: told.observer });
		expect(told.spawn).toHaveLength(2);
	});

	test.each(lifetimes)("resolves to the error of a server that cannot start, in the lifetime %s", async (lifetime) => {
		const told = record();
		const options = { lifetime, standby: 1, observer: told.observer };
		const error = await prewarmStdioServer(fixture("exits-on-initialize"), options);
		expect(error).toBeInstanceOf(McpStdioError);
		expect(error).toMatchObject({ code: "HANDSHAKE_FAILED", data: { exitCode: 7, phase: "initialize" } });
		expect(error?.stderr).toEqual(["Cannot start: API_KEY is not set", "See the documentation of this server"]);
		expect(told.failure.length).toBeGreaterThan(0);
		expect(told.failure.every(({ requestId }) => requestId === undefined)).toBe(true);
		const spawnFailure = await prewarmStdioServer({ command: "/does/not/exist" }, options);
		expect(spawnFailure).toMatchObject({ code: "SPAWN_FAILED" });
	});

	test.each<[StdioServerParams, object, string]>([
		[{ command: "" }, {}, "params.command"],
		[wellBehaved, { standby: 0.5 }, "options.standby"],
		[wellBehaved, { timeoutMs: 5 }, "options.timeoutMs is not an option"],
	])("rejects with a TypeError for a wrong param or option: %o %o", async (params, options, message) => {
		await expect(prewarmStdioServer(params, options)).rejects.toThrow(TypeError);
		await expect(prewarmStdioServer(params, options)).rejects.toThrow(message);
	});

	test("is not reported twice when the standby fails", async () => {
		const told = record();
		await prewarmStdioServer(fixture("exits-at-once"), { standby: 1, observer: told.observer });
		await pause();
		expect(told.failure).toHaveLength(1);
	});
});

describe("a standby", () => {
	test.each([0, 1, 3])("is started after each request, until so many wait: %i", async (standby) => {
		const told = record();
		const options = { standby, maxProcesses: 8, observer: told.observer };
		await runStdioRequest(wellBehaved, echo, options);
		await until("all are ready", () => told.ready.length === 1 + standby);
		await pause();
		expect(told.spawn.map(({ source }) => source)).toEqual(["fresh", ...Array(standby).fill("standby")]);
		await until("only the standbys are left", () => leftovers().length === standby);
	});

	test("serves the next request, and another takes its place", async () => {
		const told = record();
		const options = { standby: 1, observer: told.observer };
		await prewarmStdioServer(wellBehaved, options);
		for (let round = 1; round <= 3; round++) {
			const waiting = told.spawn.at(-1)?.pid;
			expect(Number(textOf(await runStdioRequest(wellBehaved, pid, options)))).toBe(waiting);
			await until("the next is ready", () => told.ready.length === round + 1);
		}
		expect(told.spawn).toHaveLength(4);
	});

	test("that is still starting serves the request that comes meanwhile", async () => {
		const told = record();
		const params = fixture("slow-initialize", "400");
		const options = { standby: 1, observer: told.observer };
		const warming = prewarmStdioServer(params, options);
		const answered = Number(textOf(await runStdioRequest(params, pid, options)));
		await warming;
		expect(answered).toBe(told.spawn[0]?.pid);
		// It was not ready when the request came: that is no hit.
		expect(told.request[0]?.source).toBe("fresh");
	});

	test("is not started after closeStdioServers, even right after an answer", async () => {
		const told = record();
		await runStdioRequest(wellBehaved, echo, { standby: 3, observer: told.observer });
		await closeStdioServers();
		expect(leftovers()).toEqual([]);
		await pause();
		expect(told.spawn).toHaveLength(1);
		expect(leftovers()).toEqual([]);
	});

	test.each([0, 5, 20, 60])("that starts when its server is closed is ended, %i ms after an answer", async (ms) => {
		const told = record();
		const params = fixture("slow-initialize", "100");
		await runStdioRequest(params, echo, { standby: 2, observer: told.observer });
		await new Promise((resolve) => setTimeout(resolve, ms));
		await closeStdioServers();
		expect(leftovers()).toEqual([]);
		const spawned = told.spawn.length;
		await pause();
		expect(told.spawn).toHaveLength(spawned);
		expect(told.failure).toEqual([]);
	});

	test("that starts when prewarming is cut short by closeStdioServers is ended, and prewarming resolves", async () => {
		const warming = prewarmStdioServer(fixture("slow-initialize", "5000"), { standby: 2, observer: silent });
		await until("both start", () => leftovers().length === 2);
		await closeStdioServers();
		expect(leftovers()).toEqual([]);
		expect(await warming).toMatchObject({ code: "ABORTED" });
	});

	test("that crashes while it starts is reported without a request's id", async () => {
		const told = record();
		const params = fixture("exits-at-once");
		await runStdioRequest(params, { ...echo, id: 5 }, { standby: 0, observer: told.observer });
		await pause();
		await prewarmStdioServer(params, { standby: 1, observer: told.observer });
		expect(told.failure[0]?.requestId).toBe(5);
		expect(told.failure[1]).not.toMatchObject({ requestId: expect.anything() });
		expect(told.failure[1]).toMatchObject({ server: "exits-at-once.mjs", error: { code: "HANDSHAKE_FAILED" } });
	});

	test("is not started beyond what the latest request asks for", async () => {
		const told = record();
		await prewarmStdioServer(wellBehaved, { standby: 2, observer: told.observer });
		await runStdioRequest(wellBehaved, echo, { standby: 0, observer: told.observer });
		await pause();
		expect(told.spawn).toHaveLength(2);
	});
});

test("a standby is started when the only slot is free again", async () => {
	const told = record();
	const options = { standby: 1, maxProcesses: 1, observer: told.observer };
	await runStdioRequest(wellBehaved, echo, options);
	await until("a standby is ready", () => told.ready.length === 2);
	await runStdioRequest(wellBehaved, echo, options);
	expect(told.request.map(({ source }) => source)).toEqual(["fresh", "standby"]);
});
