import { getEventListeners } from "node:events";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { Interruption } from "../../src/deadline.ts";
import { createSlots } from "../../src/server/slots.ts";

const toError = ({ code }: Interruption): Error => new Error(code);
const interruption: Interruption = { code: "TIMEOUT", limitMs: 1 };
const turn = () => new Promise(setImmediate);

/** Someone who asks for a slot. */
function ask(slots: ReturnType<typeof createSlots>, limit: number) {
	const controller = new AbortController();
	const caller = { state: "waiting", abort: () => controller.abort(interruption), signal: controller.signal };
	slots.acquire(limit, controller.signal, toError).then(
		() => {
			caller.state = "admitted";
		},
		(error: Error) => {
			caller.state = error.message;
		},
	);
	return caller;
}

const states = (callers: readonly { state: string }[]) => callers.map(({ state }) => state);

describe("acquire", () => {
	test("admits as many as the limit, and the others in the order of arrival", async () => {
		const slots = createSlots(vi.fn());
		const callers = [1, 2, 3, 4, 5].map(() => ask(slots, 2));
		await turn();
		expect(states(callers)).toStrictEqual(["admitted", "admitted", "waiting", "waiting", "waiting"]);
		expect(slots.waiting()).toBe(3);
		slots.release();
		await turn();
		expect(states(callers)).toStrictEqual(["admitted", "admitted", "admitted", "waiting", "waiting"]);
		slots.release();
		slots.release();
		await turn();
		expect(states(callers)).toStrictEqual(["admitted", "admitted", "admitted", "admitted", "admitted"]);
		expect(slots.waiting()).toBe(0);
	});

	test("tells when someone has to wait, and only then", () => {
		const onWait = vi.fn();
		const slots = createSlots(onWait);
		ask(slots, 1);
		expect(onWait).not.toHaveBeenCalled();
		ask(slots, 1);
		ask(slots, 1);
		expect(onWait).toHaveBeenCalledTimes(2);
	});

	test("counts whoever waits before it tells so, so that a slot can be freed at once", async () => {
		const slots: ReturnType<typeof createSlots> = createSlots(() => slots.release());
		const callers = [ask(slots, 1), ask(slots, 1)];
		await turn();
		expect(states(callers)).toStrictEqual(["admitted", "admitted"]);
		expect(slots.tryAcquire(1)).toBe(false);
	});

	test("fails for who stops waiting, and goes on without them", async () => {
		const slots = createSlots(vi.fn());
		const callers = [1, 2, 3].map(() => ask(slots, 1));
		callers[1]?.abort();
		await turn();
		expect(states(callers)).toStrictEqual(["admitted", "TIMEOUT", "waiting"]);
		slots.release();
		await turn();
		expect(states(callers)).toStrictEqual(["admitted", "TIMEOUT", "admitted"]);
	});

	test("fails at once for who has stopped waiting before", async () => {
		const onWait = vi.fn();
		const slots = createSlots(onWait);
		slots.tryAcquire(1);
		await expect(slots.acquire(1, AbortSignal.abort(interruption), toError)).rejects.toThrow("TIMEOUT");
		expect(slots.waiting()).toBe(0);
		expect(onWait).not.toHaveBeenCalled();
	});

	test("keeps its slot when the signal fires after it was admitted", async () => {
		const slots = createSlots(vi.fn());
		const caller = ask(slots, 1);
		await turn();
		caller.abort();
		await turn();
		expect(caller.state).toBe("admitted");
		expect(slots.tryAcquire(1)).toBe(false);
	});

	test("leaves no listener on a signal, however it ends", async () => {
		const slots = createSlots(vi.fn());
		const callers = [1, 2, 3, 4].map(() => ask(slots, 1));
		slots.release();
		callers[2]?.abort();
		slots.cancel(new Error("closed"));
		await turn();
		expect(states(callers)).toStrictEqual(["admitted", "admitted", "TIMEOUT", "closed"]);
		for (const { signal } of callers) expect(getEventListeners(signal, "abort")).toHaveLength(0);
	});

	test("does not let who has a higher limit overtake who waits", async () => {
		const slots = createSlots(vi.fn());
		slots.tryAcquire(1);
		const callers = [ask(slots, 1), ask(slots, 2)];
		await turn();
		expect(states(callers)).toStrictEqual(["waiting", "waiting"]);
		slots.release();
		await turn();
		expect(states(callers)).toStrictEqual(["admitted", "admitted"]);
	});

	test("admits who has a higher limit when who stood in front of them stops waiting", async () => {
		const slots = createSlots(vi.fn());
		slots.tryAcquire(1);
		const [narrow, wide] = [ask(slots, 1), ask(slots, 2)];
		narrow.abort();
		await turn();
		expect(states([narrow, wide])).toStrictEqual(["TIMEOUT", "admitted"]);
	});
});

describe("tryAcquire", () => {
	test("takes a slot only when one is free", () => {
		const slots = createSlots(vi.fn());
		expect([slots.tryAcquire(2), slots.tryAcquire(2), slots.tryAcquire(2)]).toStrictEqual([true, true, false]);
		slots.release();
		expect(slots.tryAcquire(2)).toBe(true);
	});

	test("never overtakes who waits, even with a higher limit", async () => {
		const slots = createSlots(vi.fn());
		slots.tryAcquire(1);
		const caller = ask(slots, 1);
		expect(slots.tryAcquire(10)).toBe(false);
		slots.release();
		expect(slots.tryAcquire(1)).toBe(false);
		await turn();
		expect(caller.state).toBe("admitted");
	});
});

describe("cancel", () => {
	test("fails everyone who waits, and takes nothing from who has a slot", async () => {
		const slots = createSlots(vi.fn());
		const callers = [1, 2, 3].map(() => ask(slots, 1));
		slots.cancel(new Error("closed"));
		await turn();
		expect(states(callers)).toStrictEqual(["admitted", "closed", "closed"]);
		expect(slots.waiting()).toBe(0);
		expect(slots.tryAcquire(1)).toBe(false);
		slots.release();
		expect(slots.tryAcquire(1)).toBe(true);
	});
});

test("whatever happens, the cap holds, nobody is overtaken and no free slot is left while someone waits", async () => {
	const step = fc.oneof(
		{ weight: 4, arbitrary: fc.record({ do: fc.constant("ask" as const) }) },
		{ weight: 3, arbitrary: fc.record({ do: fc.constant("release" as const) }) },
		{ weight: 2, arbitrary: fc.record({ do: fc.constant("abort" as const), which: fc.nat() }) },
		{ weight: 2, arbitrary: fc.record({ do: fc.constant("try" as const) }) },
		{ weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const) }) },
	);
	const steps = fc.array(fc.tuple(step, fc.boolean()), { maxLength: 40 });
	await fc.assert(
		fc.asyncProperty(fc.integer({ min: 1, max: 4 }), steps, async (limit, plan) => {
			const slots = createSlots(() => {});
			const callers: ReturnType<typeof ask>[] = [];
			const expected: string[] = [];
			let used = 0;
			const admitNext = (): void => {
				for (let next = expected.indexOf("waiting"); next !== -1 && used < limit; next = expected.indexOf("waiting")) {
					expected[next] = "admitted";
					used += 1;
				}
			};
			for (const [action, pause] of plan) {
				if (action.do === "ask") {
					callers.push(ask(slots, limit));
					expected.push("waiting");
				} else if (action.do === "release" && used > 0) {
					slots.release();
					used -= 1;
				} else if (action.do === "abort" && callers.length > 0) {
					const which = action.which % callers.length;
					callers[which]?.abort();
					if (expected[which] === "waiting") expected[which] = "TIMEOUT";
				} else if (action.do === "try") {
					const free = used < limit && !expected.includes("waiting");
					expect(slots.tryAcquire(limit)).toBe(free);
					if (free) used += 1;
				} else if (action.do === "cancel") {
					slots.cancel(new Error("closed"));
					for (const [index, state] of expected.entries()) if (state === "waiting") expected[index] = "closed";
				}
				admitNext();
				expect(slots.waiting()).toBe(expected.filter((state) => state === "waiting").length);
				if (pause) await turn();
			}
			await turn();
			expect(states(callers)).toStrictEqual(expected);
		}),
		{ numRuns: 200 },
	);
});
