import { describe, expect, test, vi } from "vitest";
import type { Interruption } from "../../src/deadline.ts";
import { McpStdioError } from "../../src/errors.ts";
import { resolveParams } from "../../src/params.ts";
import type { Starter } from "../../src/server/starter.ts";
import { refusedHandshake } from "../../src/session/refusal.ts";
import type { SessionOptions } from "../../src/session/session.ts";

const startSession = vi.hoisted(() => vi.fn());
vi.mock("../../src/session/session.ts", () => ({ startSession }));
const { createStarter } = await import("../../src/server/starter.ts");

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
const params = resolveParams({ command: "node", name: "it" });
const timeout: Interruption = { code: "TIMEOUT", limitMs: 1 };

type Started = {
	readonly options: SessionOptions;
	readonly ready: PromiseWithResolvers<Record<string, unknown>>;
	readonly exit: () => void;
	readonly goAway: () => void;
	readonly ends: unknown[][];
};

/** A starter whose sessions do nothing by themselves. */
function create() {
	const sessions: Started[] = [];
	startSession.mockImplementation(async (options: SessionOptions) => {
		const ready = Promise.withResolvers<Record<string, unknown>>();
		const exited = Promise.withResolvers<void>();
		const gone = Promise.withResolvers<void>();
		ready.promise.catch(() => {});
		const ends: unknown[][] = [];
		sessions.push({ options, ready, exit: exited.resolve, goAway: gone.resolve, ends });
		return {
			ready: ready.promise,
			exited: exited.promise,
			gone: gone.promise,
			startFacts: () => ({ stderr: [`line of ${sessions.length}`], details: [] }),
			end: (...how: unknown[]) => {
				ends.push(how);
				options.onEnd();
			},
		};
	});
	const onHandshake = vi.fn();
	const starter: Starter = createStarter(params, () => undefined, onHandshake);
	const onFree = vi.fn();
	const start = async (version = starter.version()) => {
		const started = starter.start("fresh", version, onFree);
		await turn();
		return started;
	};
	return { starter, sessions, onHandshake, onFree, start };
}

const result = { protocolVersion: "2025-06-18" };

describe("a start", () => {
	test("is ready with its handshake, which is told under the version that was asked for", async () => {
		const { starter, sessions, onHandshake, start } = create();
		const started = await start();
		expect(started.session()).toBeUndefined();
		sessions[0]?.ready.resolve(result);
		const session = await started.ready;
		expect(started.session()).toBe(session);
		expect(onHandshake.mock.calls).toEqual([[starter.version(), result]]);
	});

	test("frees its slot once, when the process has exited", async () => {
		const { sessions, onFree, start } = create();
		await start();
		expect(onFree).not.toHaveBeenCalled();
		sessions[0]?.exit();
		await turn();
		expect(onFree).toHaveBeenCalledOnce();
	});

	test("that cannot be frees its slot too", async () => {
		const { onFree, start } = create();
		const failure = new McpStdioError("SPAWN_FAILED", "no such file");
		startSession.mockRejectedValueOnce(failure);
		const started = await start();
		await expect(started.ready).rejects.toBe(failure);
		expect(onFree).toHaveBeenCalledOnce();
	});

	test("tells a caller that stops waiting what the process has written", async () => {
		const { start } = create();
		const started = await start();
		await expect(started.untilReady(AbortSignal.abort(timeout))).rejects.toMatchObject({
			code: "TIMEOUT",
			stderr: ["line of 1"],
		});
	});

	test("is given up when it has cost three deadlines in a row", async () => {
		const { sessions, start } = create();
		const started = await start();
		for (const isGivenUp of [false, false, true]) {
			await expect(started.untilReady(AbortSignal.abort(timeout))).rejects.toMatchObject({ code: "TIMEOUT" });
			expect(started.isGivenUp()).toBe(isGivenUp);
		}
		await turn();
		expect(sessions[0]?.ends).toMatchObject([["handshake", true, { code: "HANDSHAKE_FAILED" }]]);
	});

	test("is not given up by callers that abort, or that wait at the same time", async () => {
		const { sessions, start } = create();
		const started = await start();
		const abort: Interruption = { code: "ABORTED", limitMs: 0 };
		for (let times = 0; times < 5; times += 1) {
			await started.untilReady(AbortSignal.abort(abort)).catch(() => {});
		}
		const caller = new AbortController();
		const together = [1, 2, 3, 4].map(() => started.untilReady(caller.signal).catch(() => {}));
		caller.abort(timeout);
		await Promise.all(together);
		expect(started.isGivenUp()).toBe(false);
		expect(sessions[0]?.ends).toEqual([]);
	});
});

describe("the version that a server is asked for", () => {
	test("is the one that it takes instead", async () => {
		const { starter, sessions, onHandshake, start } = create();
		const first = starter.version();
		await start();
		sessions[0]?.options.onOtherVersion("2024-11-05");
		expect(starter.version()).toBe("2024-11-05");
		sessions[0]?.ready.resolve(result);
		await turn();
		expect(onHandshake.mock.calls).toEqual([
			[first, result],
			["2024-11-05", result],
		]);
	});

	test("is one that a caller knew of, where its own was refused", async () => {
		const { starter, sessions, start } = create();
		await start();
		sessions[0]?.ready.reject(refusedHandshake("it", { code: -32602 }, { stderr: [], details: [] }));
		await turn();
		await start("2024-11-05");
		expect(starter.version()).not.toBe("2024-11-05");
		sessions[1]?.ready.resolve(result);
		await turn();
		expect(starter.version()).toBe("2024-11-05");
	});

	test("stays where only a caller's was refused, and nothing counts as a crash", async () => {
		const { starter, sessions, start } = create();
		const version = starter.version();
		for (let times = 0; times < 10; times += 1) {
			await start("1999-01-01");
			sessions[times]?.ready.reject(refusedHandshake("it", { code: -32602 }, { stderr: [], details: [] }));
			await turn();
		}
		expect(starter.version()).toBe(version);
		expect(starter.breaker.isPausing()).toBe(false);
	});

	test("failing with it again and again is a crash loop", async () => {
		const { starter, sessions, start } = create();
		for (let times = 0; times < 10; times += 1) {
			await start();
			sessions[times]?.ready.reject(new McpStdioError("HANDSHAKE_FAILED", "exited"));
			await turn();
		}
		expect(starter.breaker.isPausing()).toBe(true);
	});
});

test("hurries those that are ending, and no others", async () => {
	const { starter, sessions, start } = create();
	const started = [await start(), await start(), await start()];
	started[0]?.end("answered");
	started[1]?.end("answered");
	await turn();
	sessions[1]?.exit();
	await turn();
	starter.hurry();
	expect(sessions.map(({ ends }) => ends)).toEqual([[["answered"], ["closed", true]], [["answered"]], []]);
});

test("close ends all that live, also one whose start is under way, and waits until they are gone", async () => {
	const { starter, sessions, start } = create();
	await start();
	const late = Promise.withResolvers<void>();
	const implementation = startSession.getMockImplementation();
	startSession.mockImplementationOnce(async (options: SessionOptions) => {
		await late.promise;
		return await implementation?.(options);
	});
	starter.start("fresh", starter.version(), () => {});
	const closed = vi.fn();
	const closing = starter.close().then(closed);
	await turn();
	late.resolve();
	await turn();
	expect(starter.isClosed()).toBe(true);
	expect(sessions.map(({ ends }) => ends)).toMatchObject([
		[["closed", true, { code: "ABORTED" }]],
		[["closed", true, { code: "ABORTED" }]],
	]);
	expect(closed).not.toHaveBeenCalled();
	for (const { goAway } of sessions) goAway();
	await closing;
});
