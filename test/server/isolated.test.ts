import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { Interruption } from "../../src/deadline.ts";
import { resolveLifetimeOptions } from "../../src/options.ts";
import { createIsolated, type Isolated } from "../../src/server/isolated.ts";
import type { Lease } from "../../src/server/lease.ts";
import { createFakeStarter, tick } from "./fake-starter.ts";

const options = (standby: number, maxProcesses: number) =>
	resolveLifetimeOptions({ standby, maxProcesses, observer: {} });

/** A lease that is asked for, and what has become of it. */
function ask(isolated: Isolated, standby: number, maxProcesses: number) {
	const controller = new AbortController();
	const asked: { lease: Lease | undefined; error: unknown; readonly giveUp: () => void } = {
		lease: undefined,
		error: undefined,
		giveUp: () => controller.abort({ code: "TIMEOUT", limitMs: 1 } satisfies Interruption),
	};
	isolated.lease(options(standby, maxProcesses), controller.signal).then(
		(lease) => {
			asked.lease = lease;
		},
		(error) => {
			asked.error = error;
		},
	);
	return asked;
}

describe("the lifetime request", () => {
	test("gives a process that a caller gave up to the first that waits, before any other", async () => {
		const { starter, processes } = createFakeStarter();
		const isolated = createIsolated("it", starter, () => {});
		const first = ask(isolated, 1, 1);
		await tick();
		const [second, third] = [ask(isolated, 1, 1), ask(isolated, 1, 1)];
		await tick();
		expect(processes).toHaveLength(1);
		first.giveUp();
		await tick();
		processes[0]?.becomeReady();
		await tick();
		expect(first.error).toMatchObject({ code: "TIMEOUT" });
		expect(second.lease?.session).toBe(processes[0]?.session);
		expect(third.lease).toBeUndefined();
		isolated.close();
	});

	test("gives no process to another that was started with the trace of one", async () => {
		const { starter, processes } = createFakeStarter({ isTraced: true });
		const isolated = createIsolated("it", starter, () => {});
		const first = ask(isolated, 1, 2);
		await tick();
		first.giveUp();
		await tick();
		expect(processes[0]?.state).toBe("ended");
		isolated.close();
	});

	test("hurries processes that are ending when a request has to wait for their slot", async () => {
		const { starter, processes, hurry } = createFakeStarter();
		const isolated = createIsolated("it", starter, () => {});
		const first = ask(isolated, 0, 1);
		await tick();
		processes[0]?.becomeReady();
		await tick();
		first.lease?.release(false);
		expect(hurry).not.toHaveBeenCalled();
		const second = ask(isolated, 0, 1);
		await tick();
		expect(hurry).toHaveBeenCalledOnce();
		processes[0]?.goAway();
		await tick();
		processes[1]?.becomeReady();
		await tick();
		expect(second.lease?.session).toBe(processes[1]?.session);
		isolated.close();
	});

	test("says standby of a process that was ready when the request came, and of no other", async () => {
		const { starter, processes } = createFakeStarter();
		const isolated = createIsolated("it", starter, () => {});
		const warming = isolated.prewarm(options(2, 4), new AbortController().signal);
		await tick();
		processes[0]?.becomeReady();
		const [ready, awaited] = [ask(isolated, 2, 4), ask(isolated, 2, 4)];
		await tick();
		processes[1]?.becomeReady();
		await warming;
		await tick();
		expect([ready.lease?.source, awaited.lease?.source]).toEqual(["standby", "fresh"]);
		isolated.close();
	});

	test("takes a standby out of the way of a handshake with another version", async () => {
		const { starter, processes } = createFakeStarter();
		const isolated = createIsolated("it", starter, () => {});
		const warming = isolated.prewarm(options(1, 1), new AbortController().signal);
		await tick();
		processes[0]?.becomeReady();
		await warming;
		const shaking = isolated.shakeHands("2025-06-18", options(1, 1), new AbortController().signal);
		await tick();
		expect(processes[0]?.state).toBe("ended");
		processes[0]?.goAway();
		await tick();
		processes[1]?.becomeReady();
		await shaking;
		isolated.close();
	});

	test("keeps to its cap and its order, and lets no request wait beside a ready process, whatever happens", async () => {
		const step = fc.constantFrom("ask", "giveUp", "ready", "release", "gone");
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.tuple(step, fc.nat(7)), { maxLength: 40 }),
				fc.integer({ min: 1, max: 3 }),
				async (steps, cap) => {
					const { starter, processes, alive } = createFakeStarter();
					const isolated = createIsolated("it", starter, () => {});
					const asked: ReturnType<typeof ask>[] = [];
					const released = new Set<Lease>();
					for (const [what, index] of steps) {
						if (what === "ask") asked.push(ask(isolated, 1, cap));
						else if (what === "giveUp") asked[index]?.giveUp();
						else if (what === "ready" && processes[index]?.state === "starting") processes[index].becomeReady();
						else if (what === "gone" && processes[index]?.state === "ended") processes[index].goAway();
						else if (what === "release") {
							const { lease } = asked[index] ?? {};
							if (lease && !released.has(lease)) {
								released.add(lease);
								lease.release(false);
							}
						}
						await tick();
						expect(alive().length).toBeLessThanOrEqual(cap);
					}
					// Everything that was begun comes to its end.
					for (let round = 0; round < 100 && asked.some(({ lease, error }) => !lease && !error); round += 1) {
						for (const fake of processes) {
							if (fake.state === "starting") fake.becomeReady();
							else if (fake.state === "ended") fake.goAway();
						}
						await tick();
						for (const { lease } of asked) {
							if (!lease || released.has(lease)) continue;
							released.add(lease);
							lease.release(false);
						}
						await tick();
					}
					const sessions = asked.flatMap(({ lease }) => (lease ? [lease.session] : []));
					expect(new Set(sessions).size).toBe(sessions.length);
					expect(asked.filter(({ lease, error }) => !lease && !error)).toEqual([]);
					isolated.close();
				},
			),
			{ numRuns: 60 },
		);
	}, 60_000);

	test("starts the standbys that are missing at once when it is told to, and settles when they are ready", async () => {
		const { starter, processes } = createFakeStarter();
		const isolated = createIsolated("it", starter, () => {});
		const asked = ask(isolated, 2, 3);
		await tick();
		processes[0]?.becomeReady();
		await tick();
		asked.lease?.release(false);
		expect(processes).toHaveLength(1);
		isolated.refill();
		expect(processes).toHaveLength(3);
		const settled = vi.fn();
		isolated.settled().then(settled);
		processes[1]?.becomeReady();
		await tick();
		expect(settled).not.toHaveBeenCalled();
		processes[2]?.becomeReady();
		await tick();
		expect(settled).toHaveBeenCalledOnce();
		isolated.close();
	});

	test("has not settled before the standbys that are due after an answer are ready", async () => {
		const { starter, processes } = createFakeStarter();
		const isolated = createIsolated("it", starter, () => {});
		const asked = ask(isolated, 1, 3);
		await tick();
		processes[0]?.becomeReady();
		await tick();
		asked.lease?.release(false);
		const settled = vi.fn();
		isolated.settled().then(settled);
		await vi.waitUntil(() => processes.length === 2);
		await tick();
		expect(settled).not.toHaveBeenCalled();
		processes[1]?.becomeReady();
		await tick();
		expect(settled).toHaveBeenCalledOnce();
		isolated.close();
	});

	test("has settled when it is closed, or when there is nothing to start", async () => {
		const { starter, processes } = createFakeStarter();
		const isolated = createIsolated("it", starter, () => {});
		await isolated.settled();
		const asked = ask(isolated, 1, 3);
		await tick();
		processes[0]?.becomeReady();
		await tick();
		asked.lease?.release(false);
		const settled = isolated.settled();
		isolated.close();
		await settled;
		expect(processes).toHaveLength(1);
	});
});
