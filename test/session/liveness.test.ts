import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLiveness } from "../../src/session/liveness.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function create(needsPing: () => boolean = () => false) {
	const pings: PromiseWithResolvers<void>[] = [];
	const onDead = vi.fn();
	const liveness = createLiveness({
		ping: () => {
			const ping = Promise.withResolvers<void>();
			pings.push(ping);
			return { answered: ping.promise, forget: () => {} };
		},
		needsPing,
		onDead,
	});
	return { liveness, pings, onDead };
}

test("a server that answers the ping lives", async () => {
	const { liveness, pings, onDead } = create();
	liveness.doubt();
	expect(liveness.isDoubted()).toBe(true);
	pings[0]?.resolve();
	await liveness.settled();
	await vi.advanceTimersByTimeAsync(5000);
	expect(onDead).not.toHaveBeenCalled();
	expect(liveness.isDoubted()).toBe(false);
});

test("a server that answers a request lives", async () => {
	const { liveness, onDead } = create();
	liveness.doubt();
	liveness.answered();
	await vi.advanceTimersByTimeAsync(1500);
	expect(onDead).not.toHaveBeenCalled();
});

test("a server that answers nothing is dead, whatever else it writes", async () => {
	const { liveness, onDead } = create();
	liveness.answered();
	liveness.doubt();
	await vi.advanceTimersByTimeAsync(1500);
	expect(onDead).toHaveBeenCalledOnce();
});

test("doubts at the same time share a ping, and what came up meanwhile gets one more", async () => {
	let needed = 1;
	const { liveness, pings } = create(() => needed-- > 0);
	for (let times = 0; times < 100; times += 1) liveness.doubt();
	expect(pings).toHaveLength(1);
	pings[0]?.resolve();
	await vi.advanceTimersByTimeAsync(0);
	expect(pings).toHaveLength(2);
	pings[1]?.resolve();
	await liveness.settled();
	expect(pings).toHaveLength(2);
});
