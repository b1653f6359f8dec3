import { getEventListeners } from "node:events";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type DeadlineOptions, type Interruption, startDeadline, untilInterrupted } from "../src/deadline.ts";

const now = Date.UTC(2026, 10, 22);

beforeEach(() => void vi.useFakeTimers({ now }));
afterEach(() => void vi.useRealTimers());

function start(options: Partial<DeadlineOptions> = {}) {
	return startDeadline({
		timeoutMs: undefined,
		deadline: undefined,
		deadlineReserveMs: 500,
		signal: undefined,
		...options,
	});
}

const context = (remainingMs: number) => ({ getRemainingTimeInMillis: () => remainingMs });

describe("startDeadline", () => {
	test.each<[string, Partial<DeadlineOptions>, number]>([
		["after 60 s when nothing is said", {}, 60_000],
		["after timeoutMs", { timeoutMs: 250 }, 250],
		["half a second before an epoch", { deadline: now + 10_000 }, 9500],
		["half a second before a Lambda context's end", { deadline: context(10_000) }, 9500],
		["half a second before a wrapped context's end", { deadline: { lambdaContext: context(10_000) } }, 9500],
		["by the reserve that is asked for", { deadline: context(10_000), deadlineReserveMs: 100 }, 9900],
		["at the deadline itself without a reserve", { deadline: context(10_000), deadlineReserveMs: 0 }, 10_000],
		["with at most a fifth for the reserve", { deadline: context(1000) }, 800],
		["with at most a fifth for a huge reserve", { deadline: context(1000), deadlineReserveMs: 1e9 }, 800],
		["by the timeout when it is the earlier", { deadline: context(10_000), timeoutMs: 300 }, 300],
		["by the deadline when it is the earlier", { deadline: context(10_000), timeoutMs: 30_000 }, 9500],
		["by a deadline beyond 60 s", { deadline: context(900_000) }, 899_500],
		["without a reserve from timeoutMs", { timeoutMs: 1000, deadlineReserveMs: 900 }, 1000],
		["after 60 s with a clock that tells NaN", { deadline: context(Number.NaN) }, 60_000],
		["after 60 s with a clock that tells nothing", { deadline: context(undefined as never) }, 60_000],
		["after timeoutMs with a clock that tells a text", { deadline: context("soon" as never), timeoutMs: 250 }, 250],
	])("fires %s", (_, options, limitMs) => {
		const { signal, clear } = start(options);
		vi.advanceTimersByTime(limitMs - 1);
		expect(signal.aborted).toBe(false);
		vi.advanceTimersByTime(1);
		expect(signal.reason).toStrictEqual({ code: "TIMEOUT", limitMs });
		clear();
	});

	test("never leaves less than four fifths of the time that is left, nor goes into the reserve by more", () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 900_000 }), fc.nat(10_000), (remainingMs, deadlineReserveMs) => {
				const { signal, clear } = start({ deadline: context(remainingMs), deadlineReserveMs });
				const expected = Math.max(remainingMs - deadlineReserveMs, remainingMs * 0.8);
				vi.advanceTimersByTime(Math.ceil(expected) + 1);
				expect((signal.reason as Interruption).limitMs).toBeCloseTo(expected, 6);
				clear();
			}),
		);
	});

	test.each<[string, Partial<DeadlineOptions>]>([
		["a timeout of 0", { timeoutMs: 0 }],
		["an epoch that has passed", { deadline: now - 1 }],
		["a context without any time left", { deadline: context(0) }],
		["a context that is over its time", { deadline: context(-20) }],
	])("has fired at once with %s", (_, options) => {
		const { signal, clear } = start(options);
		expect(signal.aborted).toBe(true);
		expect(signal.reason.code).toBe("TIMEOUT");
		clear();
	});

	test.each<[string, Partial<DeadlineOptions>]>([
		["timeoutMs", { timeoutMs: 2 ** 31 }],
		["timeoutMs without end", { timeoutMs: Number.POSITIVE_INFINITY }],
		["an epoch", { deadline: Number.MAX_SAFE_INTEGER }],
		["a context", { deadline: context(Number.POSITIVE_INFINITY) }],
	])("does not fire early for a huge %s", (_, options) => {
		const delays = vi.spyOn(globalThis, "setTimeout");
		const { signal, clear } = start(options);
		vi.advanceTimersByTime(900_000);
		expect(signal.aborted).toBe(false);
		// Fake timers take any delay; real ones fire at once above this.
		expect(delays.mock.lastCall?.[1]).toBeLessThanOrEqual(2 ** 31 - 1);
		clear();
	});

	test.each<[string, unknown]>([
		["is undefined", undefined],
		["has no clock", {}],
	])("uses a context's own clock when a lambdaContext beside it %s", (_, lambdaContext) => {
		const { signal, clear } = start({ deadline: { ...context(1000), lambdaContext } as never });
		vi.advanceTimersByTime(800);
		expect(signal.aborted).toBe(true);
		clear();
	});

	test("asks a context on itself, so that a class can be one", () => {
		class Context {
			readonly #remainingMs = 100;
			getRemainingTimeInMillis(): number {
				return this.#remainingMs;
			}
		}
		const { signal, clear } = start({ deadline: new Context(), deadlineReserveMs: 0 });
		vi.advanceTimersByTime(100);
		expect(signal.reason).toStrictEqual({ code: "TIMEOUT", limitMs: 100 });
		clear();
	});

	describe("with the caller's signal", () => {
		test("has fired at once when it is aborted already", () => {
			const cause = new Error("enough");
			const { signal, clear } = start({ signal: AbortSignal.abort(cause), timeoutMs: 100 });
			expect(signal.reason).toStrictEqual({ code: "ABORTED", limitMs: 100, cause });
			clear();
		});

		test("says ABORTED when there is no time left either", () => {
			const { signal, clear } = start({ signal: AbortSignal.abort(), timeoutMs: 0 });
			expect(signal.reason.code).toBe("ABORTED");
			clear();
		});

		test("fires with it, and keeps its reason as the cause", () => {
			const caller = new AbortController();
			const { signal, clear } = start({ signal: caller.signal });
			expect(signal.aborted).toBe(false);
			const cause = new Error("enough");
			caller.abort(cause);
			expect(signal.reason).toStrictEqual({ code: "ABORTED", limitMs: 60_000, cause });
			clear();
		});

		test("keeps the first reason, whatever comes later", () => {
			const caller = new AbortController();
			const { signal, clear } = start({ signal: caller.signal, timeoutMs: 100 });
			vi.advanceTimersByTime(100);
			caller.abort();
			expect(signal.reason.code).toBe("TIMEOUT");
			clear();
		});

		test("does not fire any more once it is cleared", () => {
			const caller = new AbortController();
			const { signal, clear } = start({ signal: caller.signal, timeoutMs: 100 });
			clear();
			caller.abort();
			vi.advanceTimersByTime(1000);
			expect(signal.aborted).toBe(false);
		});

		test("leaves neither timers nor listeners behind", () => {
			const caller = new AbortController();
			const deadlines = Array.from({ length: 100 }, () => start({ signal: caller.signal }));
			expect(vi.getTimerCount()).toBe(100);
			expect(getEventListeners(caller.signal, "abort")).toHaveLength(100);
			for (const { clear } of deadlines) clear();
			expect(vi.getTimerCount()).toBe(0);
			expect(getEventListeners(caller.signal, "abort")).toHaveLength(0);
		});

		test("leaves neither timers nor listeners behind when it was aborted or out of time at the start", () => {
			const caller = new AbortController();
			start({ signal: caller.signal, timeoutMs: 0 }).clear();
			start({ signal: AbortSignal.abort() }).clear();
			expect(vi.getTimerCount()).toBe(0);
			expect(getEventListeners(caller.signal, "abort")).toHaveLength(0);
		});
	});
});

test("the timer of a deadline keeps the process alive until it is cleared", () => {
	vi.useRealTimers();
	const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
	const before = timers();
	const { clear } = start();
	expect(timers()).toBe(before + 1);
	clear();
	expect(timers()).toBe(before);
});

describe("untilInterrupted", () => {
	const toError = ({ code }: Interruption): Error => new Error(code);
	const interruption: Interruption = { code: "TIMEOUT", limitMs: 1 };

	test("settles as the promise does", async () => {
		const { signal } = new AbortController();
		await expect(untilInterrupted(Promise.resolve(1), signal, toError)).resolves.toBe(1);
		await expect(untilInterrupted(Promise.reject(new Error("no")), signal, toError)).rejects.toThrow("no");
		expect(getEventListeners(signal, "abort")).toHaveLength(0);
	});

	test("rejects as soon as the signal fires, whatever becomes of the promise", async () => {
		const controller = new AbortController();
		const work = Promise.withResolvers<void>();
		const waiting = untilInterrupted(work.promise, controller.signal, toError);
		controller.abort(interruption);
		await expect(waiting).rejects.toThrow("TIMEOUT");
		work.reject(new Error("too late: nobody hears this"));
		await new Promise(process.nextTick);
	});

	test("rejects at once when the signal has fired, and silences the promise", async () => {
		const signal = AbortSignal.abort(interruption);
		const waiting = untilInterrupted(Promise.reject(new Error("nobody hears this")), signal, toError);
		await expect(waiting).rejects.toThrow("TIMEOUT");
		expect(getEventListeners(signal, "abort")).toHaveLength(0);
	});

	test("leaves no listener behind", async () => {
		const controller = new AbortController();
		for (let turn = 0; turn < 20; turn += 1) await untilInterrupted(Promise.resolve(), controller.signal, toError);
		await new Promise(process.nextTick);
		expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
	});
});
