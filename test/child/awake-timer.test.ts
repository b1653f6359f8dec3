import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startAwakeTimer } from "../../src/child/awake-timer.ts";

let frozenMs = 0;

beforeEach(() => {
	vi.useFakeTimers();
	frozenMs = 0;
	const now = performance.now.bind(performance);
	vi.spyOn(performance, "now").mockImplementation(() => now() + frozenMs);
});

afterEach(() => {
	vi.restoreAllMocks();
	vi.useRealTimers();
});

/** The clock goes on and nothing runs, as between two invocations; a timer that is due fires at the thaw. */
function freeze(ms: number): void {
	frozenMs += ms;
}

const durations = [[1], [25], [49], [50], [51], [100], [150], [1000], [120_000]];

test.each(durations)("is due after %d ms of a process that is awake, to a twentieth of a second", (ms) => {
	const onDue = vi.fn();
	startAwakeTimer(ms, onDue);
	vi.advanceTimersByTime(ms - 1);
	expect(onDue).not.toHaveBeenCalled();
	vi.advanceTimersByTime(51);
	expect(onDue).toHaveBeenCalledOnce();
});

test("is due in the next turn with 0 ms, and not at once", () => {
	const onDue = vi.fn();
	startAwakeTimer(0, onDue);
	expect(onDue).not.toHaveBeenCalled();
	vi.advanceTimersByTime(1);
	expect(onDue).toHaveBeenCalledOnce();
});

test("is due only once", () => {
	const onDue = vi.fn();
	startAwakeTimer(100, onDue);
	vi.advanceTimersByTime(10_000);
	expect(onDue).toHaveBeenCalledOnce();
	expect(vi.getTimerCount()).toBe(0);
});

test.each([[25], [50], [100], [150], [1000]])(
	"of %d ms is not due at the first look after a freeze of an hour",
	(ms) => {
		const onDue = vi.fn();
		startAwakeTimer(ms, onDue);
		freeze(3_600_000);
		vi.advanceTimersToNextTimer();
		expect(onDue).not.toHaveBeenCalled();
		vi.advanceTimersByTime(ms + 50);
		expect(onDue).toHaveBeenCalledOnce();
	},
);

test.each([[150], [1000]])("of %d ms counts no more than a tenth of a second of a freeze", (ms) => {
	const onDue = vi.fn();
	startAwakeTimer(ms, onDue);
	vi.advanceTimersByTime(10);
	freeze(3_600_000);
	vi.advanceTimersByTime(ms - 100 - 10);
	expect(onDue).not.toHaveBeenCalled();
	vi.advanceTimersByTime(110);
	expect(onDue).toHaveBeenCalledOnce();
});

test("survives one freeze after another", () => {
	const onDue = vi.fn();
	startAwakeTimer(1000, onDue);
	for (let invocation = 0; invocation < 5; invocation += 1) {
		vi.advanceTimersByTime(50);
		freeze(60_000);
	}
	expect(onDue).not.toHaveBeenCalled();
	vi.advanceTimersByTime(1000);
	expect(onDue).toHaveBeenCalledOnce();
});

test("still counts when the event loop is slow", () => {
	const onDue = vi.fn();
	startAwakeTimer(1000, onDue);
	for (let look = 0; look < 20; look += 1) {
		freeze(50);
		vi.advanceTimersByTime(50);
	}
	expect(onDue).toHaveBeenCalledOnce();
});

test("never calls back once it is cancelled", () => {
	const onDue = vi.fn();
	const cancel = startAwakeTimer(100, onDue);
	vi.advanceTimersByTime(50);
	cancel();
	cancel();
	vi.advanceTimersByTime(1000);
	expect(onDue).not.toHaveBeenCalled();
	expect(vi.getTimerCount()).toBe(0);
});

test("can be cancelled after it was due", () => {
	const cancel = startAwakeTimer(1, vi.fn());
	vi.advanceTimersByTime(100);
	expect(cancel).not.toThrow();
});

test("does not keep the process alive", () => {
	vi.useRealTimers();
	const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
	const before = timers();
	const cancel = startAwakeTimer(10_000, vi.fn());
	expect(timers()).toBe(before);
	cancel();
});
