import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Interruption } from "../../src/deadline.ts";
import { McpStdioError, type McpStdioErrorData } from "../../src/errors.ts";
import { type Breaker, createBreaker } from "../../src/server/breaker.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const toError = ({ code }: Interruption): Error => new Error(code);
const { signal: patience } = new AbortController();

function death(data: McpStdioErrorData = { exitCode: 1 }): McpStdioError {
	return new McpStdioError("HANDSHAKE_FAILED", "It died", { data, stderr: ["Cannot find module"] });
}

/** A start that is told to the breaker, and what becomes of it. */
function start(breaker: Breaker) {
	const outcome = Promise.withResolvers<"ready" | "unknown" | McpStdioError>();
	breaker.watch(outcome.promise);
	return async (result: "ready" | "unknown" | McpStdioError) => {
		outcome.resolve(result);
		await vi.advanceTimersByTimeAsync(0);
	};
}

/** Calls back as soon as the breaker lets this caller through. */
function admit(breaker: Breaker, signal: AbortSignal, onAdmitted: () => void): Promise<void> {
	return breaker.admit(signal, toError, onAdmitted);
}

/** Someone who asks whether the server may be started. */
function ask(breaker: Breaker, signal = patience) {
	const caller: { state: string; error?: McpStdioError } = { state: "waiting" };
	const onAdmitted = () => {
		caller.state = "admitted";
	};
	admit(breaker, signal, onAdmitted).catch((error: McpStdioError) => {
		caller.state = error.code ?? error.message;
		caller.error = error;
	});
	return caller;
}

async function asked(breaker: Breaker) {
	const caller = ask(breaker);
	await vi.advanceTimersByTimeAsync(0);
	return caller;
}

/** A breaker whose server has died that many times in a row, each time as soon as it was allowed to start. */
async function afterDeaths(times: number, data?: McpStdioErrorData): Promise<Breaker> {
	const breaker = createBreaker("weather");
	for (let count = 1; count <= times; count += 1) {
		await start(breaker)(death(data));
		if (count < times) await vi.advanceTimersByTimeAsync(Math.min(100 * 2 ** (count - 1), 10_000));
	}
	return breaker;
}

describe("a server that starts", () => {
	test("is let through at once", async () => {
		const breaker = createBreaker("weather");
		expect((await asked(breaker)).state).toBe("admitted");
		await start(breaker)("ready");
		expect((await asked(breaker)).state).toBe("admitted");
		expect(breaker.isPausing()).toBe(false);
	});

	test("may start side by side as often as it likes", async () => {
		const breaker = createBreaker("weather");
		for (let count = 0; count < 10; count += 1) {
			start(breaker);
			expect((await asked(breaker)).state).toBe("admitted");
		}
	});

	test("is not held against it when nobody knows what became of it", async () => {
		const breaker = createBreaker("weather");
		for (let count = 0; count < 10; count += 1) await start(breaker)("unknown");
		expect((await asked(breaker)).state).toBe("admitted");
		expect(breaker.isPausing()).toBe(false);
	});
});

describe("a server that died at start once or twice", () => {
	test.each([
		[1, 100],
		[2, 200],
	])("%d times, makes the next caller wait %d ms", async (times, pauseMs) => {
		const breaker = await afterDeaths(times);
		expect(breaker.isPausing()).toBe(true);
		const caller = ask(breaker);
		await vi.advanceTimersByTimeAsync(pauseMs - 1);
		expect(caller.state).toBe("waiting");
		await vi.advanceTimersByTimeAsync(2);
		expect(caller.state).toBe("admitted");
		expect(breaker.isPausing()).toBe(false);
	});

	test("lets everyone through who has waited", async () => {
		const breaker = await afterDeaths(2);
		const callers = [ask(breaker), ask(breaker), ask(breaker)];
		await vi.advanceTimersByTimeAsync(201);
		expect(callers.map(({ state }) => state)).toStrictEqual(["admitted", "admitted", "admitted"]);
	});

	test("makes who waits go on waiting when it dies again meanwhile", async () => {
		const breaker = createBreaker("weather");
		await start(breaker)(death());
		const finish = start(breaker);
		const caller = ask(breaker);
		await vi.advanceTimersByTimeAsync(99);
		await finish(death());
		await vi.advanceTimersByTimeAsync(190);
		expect(caller.state).toBe("waiting");
		await vi.advanceTimersByTimeAsync(11);
		expect(caller.state).toBe("admitted");
	});

	test("fails for who stops waiting, without a timer or a listener left behind", async () => {
		const breaker = await afterDeaths(1);
		const caller = new AbortController();
		const waiting = ask(breaker, caller.signal);
		await vi.advanceTimersByTimeAsync(50);
		caller.abort({ code: "TIMEOUT", limitMs: 50 } satisfies Interruption);
		await vi.advanceTimersByTimeAsync(0);
		expect(waiting.state).toBe("TIMEOUT");
		expect(vi.getTimerCount()).toBe(0);
		expect(getEventListeners(caller.signal, "abort")).toHaveLength(0);
	});

	test("is forgiven once it has started", async () => {
		const breaker = await afterDeaths(2);
		await start(breaker)("ready");
		expect(breaker.isPausing()).toBe(false);
		expect((await asked(breaker)).state).toBe("admitted");
		await start(breaker)(death());
		const caller = ask(breaker);
		await vi.advanceTimersByTimeAsync(101);
		expect(caller.state).toBe("admitted");
	});
});

describe("a server that died at start three times in a row", () => {
	test("turns callers away at once with CRASH_LOOP, and says why and until when", async () => {
		const breaker = await afterDeaths(3, { exitCode: 127, signal: null });
		await vi.advanceTimersByTimeAsync(100);
		const { error } = await asked(breaker);
		expect(error).toBeInstanceOf(McpStdioError);
		expect(error).toMatchObject({
			code: "CRASH_LOOP",
			data: { phase: "initialize", exitCode: 127, retryAfterMs: 300 },
			stderr: ["Cannot find module"],
			cause: { code: "HANDSHAKE_FAILED" },
		});
		expect(error?.message).toContain("weather failed 3 times in a row at start (exit code 127)");
		expect(error?.message).toContain("tried again in 300 ms");
		expect(error?.message).toContain("(last line on stderr: Cannot find module)");
	});

	test.each<[McpStdioErrorData, string]>([
		[{ exitCode: 0, signal: null }, " at start (exit code 0); "],
		[{ exitCode: null, signal: "SIGKILL" }, " at start (killed by SIGKILL); "],
		[{}, " at start; "],
	])("says how for %j", async (data, how) => {
		const { error } = await asked(await afterDeaths(3, data));
		expect(error?.message).toContain(how);
	});

	test("always has at least a millisecond to wait", async () => {
		const breaker = await afterDeaths(3);
		await vi.advanceTimersByTimeAsync(399);
		const spy = vi.spyOn(performance, "now").mockReturnValue(performance.now() + 0.9);
		expect((await asked(breaker)).error?.data.retryAfterMs).toBe(1);
		spy.mockRestore();
	});

	test.each([
		[3, 400],
		[4, 800],
		[7, 6400],
		[8, 10_000],
		[30, 10_000],
	])("%d times, pauses for %d ms", async (times, pauseMs) => {
		const { error } = await asked(await afterDeaths(times));
		expect(error?.data.retryAfterMs).toBe(pauseMs);
	});

	test("is tried again after the pause", async () => {
		const breaker = await afterDeaths(3);
		await vi.advanceTimersByTimeAsync(399);
		expect((await asked(breaker)).state).toBe("CRASH_LOOP");
		expect(breaker.isPausing()).toBe(true);
		await vi.advanceTimersByTimeAsync(1);
		expect(breaker.isPausing()).toBe(false);
		expect((await asked(breaker)).state).toBe("admitted");
	});

	test("has one trial, which all others wait for and share the luck of", async () => {
		const breaker = await afterDeaths(3);
		await vi.advanceTimersByTimeAsync(400);
		expect((await asked(breaker)).state).toBe("admitted");
		const finish = start(breaker);
		const others = [ask(breaker), ask(breaker)];
		await vi.advanceTimersByTimeAsync(60_000);
		expect(others.map(({ state }) => state)).toStrictEqual(["waiting", "waiting"]);
		await finish("ready");
		expect(others.map(({ state }) => state)).toStrictEqual(["admitted", "admitted"]);
		await start(breaker)(death());
		expect((await asked(breaker)).state).toBe("waiting");
	});

	test("turns all others away when the trial dies, for twice the pause", async () => {
		const breaker = await afterDeaths(3);
		await vi.advanceTimersByTimeAsync(400);
		const finish = start(breaker);
		const other = ask(breaker);
		await vi.advanceTimersByTimeAsync(50);
		await finish(death());
		expect(other.state).toBe("CRASH_LOOP");
		expect(other.error?.data.retryAfterMs).toBe(800);
	});

	test("has another trial when nobody knows what became of the first", async () => {
		const breaker = await afterDeaths(3);
		await vi.advanceTimersByTimeAsync(400);
		const finish = start(breaker);
		const other = ask(breaker);
		await finish("unknown");
		expect(other.state).toBe("admitted");
	});

	test("lets only one through of two who ask in the same moment", async () => {
		const breaker = await afterDeaths(3);
		await vi.advanceTimersByTimeAsync(400);
		const starts: ReturnType<typeof start>[] = [];
		for (let caller = 0; caller < 2; caller += 1) {
			void admit(breaker, patience, () => void starts.push(start(breaker)));
		}
		await vi.advanceTimersByTimeAsync(0);
		expect(starts).toHaveLength(1);
		await starts[0]?.("ready");
		expect(starts).toHaveLength(2);
	});

	test("lets only one through of those who waited for a trial of which nobody knows what became", async () => {
		const breaker = await afterDeaths(3);
		await vi.advanceTimersByTimeAsync(400);
		const finish = start(breaker);
		let admitted = 0;
		for (let caller = 0; caller < 3; caller += 1) {
			void admit(breaker, patience, () => {
				admitted += 1;
				start(breaker);
			});
		}
		await finish("unknown");
		expect(admitted).toBe(1);
	});

	test("fails for who stops waiting for the trial", async () => {
		const breaker = await afterDeaths(3);
		await vi.advanceTimersByTimeAsync(400);
		start(breaker);
		const caller = new AbortController();
		const waiting = ask(breaker, caller.signal);
		caller.abort({ code: "ABORTED", limitMs: 50 } satisfies Interruption);
		await vi.advanceTimersByTimeAsync(0);
		expect(waiting.state).toBe("ABORTED");
		expect(getEventListeners(caller.signal, "abort")).toHaveLength(0);
	});
});

test("starts that ran side by side and died count once", async () => {
	const breaker = createBreaker("weather");
	const finish = Array.from({ length: 10 }, () => start(breaker));
	for (const [index, die] of finish.entries()) {
		await vi.advanceTimersByTimeAsync(index + 1);
		await die(death());
	}
	const caller = ask(breaker);
	await vi.advanceTimersByTimeAsync(101);
	expect(caller.state).toBe("admitted");
});

test("a start that was under way when others died, and then is ready, clears the server", async () => {
	const breaker = createBreaker("weather");
	const slow = start(breaker);
	await vi.advanceTimersByTimeAsync(1);
	for (let count = 0; count < 3; count += 1) {
		await start(breaker)(death());
		await vi.advanceTimersByTimeAsync(1);
	}
	expect((await asked(breaker)).state).toBe("CRASH_LOOP");
	await slow("ready");
	expect((await asked(breaker)).state).toBe("admitted");
});
