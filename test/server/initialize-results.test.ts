import { getEventListeners } from "node:events";
import { describe, expect, test, vi } from "vitest";
import type { Interruption } from "../../src/deadline.ts";
import { interruptedWhileStarting } from "../../src/server/failures.ts";
import { createHandshakes, defaultProtocolVersion } from "../../src/server/initialize-results.ts";

const whileStarting = interruptedWhileStarting(
	"weather",
	() => undefined,
	() => false,
);

const { signal: patience } = new AbortController();
const interruption: Interruption = { code: "TIMEOUT", limitMs: 5 };
const turn = () => new Promise(setImmediate);

const answer = (protocolVersion: string) => ({
	protocolVersion,
	capabilities: { tools: { listChanged: true } },
	serverInfo: { name: "weather", version: "1.0.0" },
});

/** A handshake that is answered when the test says so. */
function handshakeOf(handshakes: ReturnType<typeof createHandshakes>, protocolVersion: string) {
	const done = Promise.withResolvers<void>();
	const shakeHands = vi.fn((_signal: AbortSignal) => done.promise);
	const finish = () => {
		handshakes.remember(protocolVersion, answer(protocolVersion));
		done.resolve();
	};
	return { shakeHands, finish, fail: (error: Error) => done.reject(error) };
}

const untilAborted = (signal: AbortSignal) =>
	new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

describe("result", () => {
	test("asks the server the first time, and never again", async () => {
		const handshakes = createHandshakes(whileStarting);
		const { shakeHands, finish } = handshakeOf(handshakes, "2025-06-18");
		const first = handshakes.result("2025-06-18", patience, shakeHands);
		finish();
		expect(await first).toStrictEqual(answer("2025-06-18"));
		expect(await handshakes.result("2025-06-18", patience, shakeHands)).toStrictEqual(answer("2025-06-18"));
		expect(shakeHands).toHaveBeenCalledOnce();
	});

	test("asks nobody for what a handshake of another kind has told", async () => {
		const handshakes = createHandshakes(whileStarting);
		handshakes.remember("2025-11-25", answer("2025-11-25"));
		const { shakeHands } = handshakeOf(handshakes, "2025-11-25");
		expect(await handshakes.result("2025-11-25", patience, shakeHands)).toStrictEqual(answer("2025-11-25"));
		expect(shakeHands).not.toHaveBeenCalled();
	});

	test("asks for each protocol version, side by side", async () => {
		const handshakes = createHandshakes(whileStarting);
		const versions = ["2024-11-05", "2025-11-25", ""];
		const started = versions.map((version) => ({ version, ...handshakeOf(handshakes, version) }));
		const results = started.map(({ version, shakeHands }) => handshakes.result(version, patience, shakeHands));
		for (const { shakeHands, finish } of started) {
			expect(shakeHands).toHaveBeenCalledOnce();
			finish();
		}
		expect(await Promise.all(results)).toStrictEqual(versions.map(answer));
	});

	test("shakes hands once for all who wait for it", async () => {
		const handshakes = createHandshakes(whileStarting);
		const { shakeHands, finish } = handshakeOf(handshakes, "2025-06-18");
		const waiting = [1, 2, 3].map(() => handshakes.result("2025-06-18", patience, shakeHands));
		finish();
		expect(await Promise.all(waiting)).toStrictEqual([1, 2, 3].map(() => answer("2025-06-18")));
		expect(shakeHands).toHaveBeenCalledOnce();
	});

	test("gives each caller a copy of its own", async () => {
		const handshakes = createHandshakes(whileStarting);
		const original: Record<string, unknown> = answer("2025-06-18");
		handshakes.remember("2025-06-18", original);
		original.serverInfo = "changed";
		const first = await handshakes.result("2025-06-18", patience, vi.fn());
		(first.capabilities as Record<string, unknown>).tools = "changed";
		expect(await handshakes.result("2025-06-18", patience, vi.fn())).toStrictEqual(answer("2025-06-18"));
	});

	test("fails for all who wait when the handshake fails, and asks anew the next time", async () => {
		const handshakes = createHandshakes(whileStarting);
		const { shakeHands, fail } = handshakeOf(handshakes, "2025-06-18");
		const waiting = [1, 2].map(() => handshakes.result("2025-06-18", patience, shakeHands));
		const failure = new Error("died");
		fail(failure);
		expect(await Promise.allSettled(waiting)).toStrictEqual(
			[1, 2].map(() => ({ status: "rejected", reason: failure })),
		);
		const next = handshakeOf(handshakes, "2025-06-18");
		const result = handshakes.result("2025-06-18", patience, next.shakeHands);
		next.finish();
		expect(await result).toStrictEqual(answer("2025-06-18"));
	});
});

describe("a caller that stops waiting", () => {
	test("fails alone, and the handshake goes on for the others", async () => {
		const handshakes = createHandshakes(whileStarting);
		const { shakeHands, finish } = handshakeOf(handshakes, "2025-06-18");
		const caller = new AbortController();
		const leaving = handshakes.result("2025-06-18", caller.signal, shakeHands);
		const staying = handshakes.result("2025-06-18", patience, shakeHands);
		caller.abort(interruption);
		await expect(leaving).rejects.toMatchObject({
			code: "TIMEOUT",
			message: expect.stringContaining("weather had not answered initialize within 5 ms"),
			data: { phase: "initialize" },
		});
		expect(shakeHands.mock.lastCall?.[0].aborted).toBe(false);
		finish();
		expect(await staying).toStrictEqual(answer("2025-06-18"));
		expect(getEventListeners(caller.signal, "abort")).toHaveLength(0);
	});

	test("ends the handshake when it was the last one", async () => {
		const handshakes = createHandshakes(whileStarting);
		const callers = [new AbortController(), new AbortController()];
		const shakeHands = vi.fn(untilAborted);
		const waiting = callers.map(({ signal }) => handshakes.result("2025-06-18", signal, shakeHands));
		const settled = Promise.allSettled(waiting);
		const inner = shakeHands.mock.lastCall?.[0];
		callers[0]?.abort(interruption);
		await turn();
		expect(inner?.aborted).toBe(false);
		callers[1]?.abort(interruption);
		await turn();
		expect(inner?.reason).toStrictEqual(interruption);
		expect((await settled).map(({ status }) => status)).toStrictEqual(["rejected", "rejected"]);
	});

	test("has no part in the handshake of who comes next", async () => {
		const handshakes = createHandshakes(whileStarting);
		const caller = new AbortController();
		const leaving = handshakes.result("2025-06-18", caller.signal, untilAborted);
		caller.abort(interruption);
		await expect(leaving).rejects.toMatchObject({ code: "TIMEOUT" });
		await turn();
		const { shakeHands, finish } = handshakeOf(handshakes, "2025-06-18");
		const next = handshakes.result("2025-06-18", patience, shakeHands);
		finish();
		expect(await next).toStrictEqual(answer("2025-06-18"));
		expect(shakeHands).toHaveBeenCalledOnce();
	});

	test("has no part in it even while its own handshake is still ending", async () => {
		const handshakes = createHandshakes(whileStarting);
		const caller = new AbortController();
		const ending = Promise.withResolvers<never>();
		const leaving = handshakes.result("2025-06-18", caller.signal, () => ending.promise);
		caller.abort(interruption);
		await expect(leaving).rejects.toMatchObject({ code: "TIMEOUT" });
		const { shakeHands, finish } = handshakeOf(handshakes, "2025-06-18");
		const next = handshakes.result("2025-06-18", patience, shakeHands);
		const settled = Promise.allSettled([next]);
		ending.reject(new Error("ended for the one before"));
		await turn();
		const another = Promise.allSettled([handshakes.result("2025-06-18", patience, shakeHands)]);
		finish();
		const answered = [{ status: "fulfilled", value: answer("2025-06-18") }];
		expect([await settled, await another]).toStrictEqual([answered, answered]);
		expect(shakeHands).toHaveBeenCalledOnce();
	});

	test("before it began to wait, leaves no handshake behind", async () => {
		const handshakes = createHandshakes(whileStarting);
		const shakeHands = vi.fn(untilAborted);
		await expect(handshakes.result("2025-06-18", AbortSignal.abort(interruption), shakeHands)).rejects.toMatchObject({
			code: "TIMEOUT",
		});
		await turn();
		expect(shakeHands.mock.calls.filter(([signal]) => !signal.aborted)).toHaveLength(0);
	});
});

describe("remember", () => {
	const refuse = () => Promise.reject(new Error("asked again"));
	const knows = (handshakes: ReturnType<typeof createHandshakes>, version: string) =>
		handshakes.result(version, patience, refuse).then(
			() => true,
			() => false,
		);

	test("keeps the newest answer", async () => {
		const handshakes = createHandshakes(whileStarting);
		handshakes.remember("2025-06-18", answer("2024-11-05"));
		handshakes.remember("2025-06-18", answer("2025-06-18"));
		expect(await handshakes.result("2025-06-18", patience, refuse)).toStrictEqual(answer("2025-06-18"));
	});

	test("keeps the answers for a few versions, however many callers ask for", async () => {
		const handshakes = createHandshakes(whileStarting);
		const versions = Array.from({ length: 100 }, (_, index) => `version-${index}`);
		for (const version of versions) handshakes.remember(version, answer(version));
		const known = await Promise.all(versions.map((version) => knows(handshakes, version)));
		expect(known.slice(-15)).not.toContain(false);
		expect(known.filter(Boolean).length).toBeLessThanOrEqual(17);
	});

	test("never forgets the version that every process is asked for", async () => {
		const handshakes = createHandshakes(whileStarting);
		handshakes.remember(defaultProtocolVersion, answer(defaultProtocolVersion));
		for (let index = 0; index < 100; index += 1) handshakes.remember(`version-${index}`, answer(`version-${index}`));
		// A process that is ready shakes hands no more, so nobody would tell the answer again.
		const result = handshakes.result(defaultProtocolVersion, patience, async () => {});
		expect(await result).toStrictEqual(answer(defaultProtocolVersion));
	});
});
