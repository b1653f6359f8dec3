import { describe, expect, test } from "vitest";
import { behaves, createGate, rejection, runtimes, startLambda, type TestLambda, until } from "./lambda.ts";

const waits = { handler: behaves, exportName: "waits", timeoutMs: 100_000 } as const;

const isBusy = (lambda: TestLambda, name: string, count: number) => (): boolean =>
	lambda.environments(name).filter(({ state }) => state === "busy").length === count;

describe.each(runtimes)("concurrency with the runtime $name", ({ runtime, skip }) => {
	test.skipIf(skip)(
		"gives each invocation at the same time an environment of its own, and uses them again",
		async () => {
			const lambda = await startLambda({ waits }, { runtime });
			const run = async () =>
				await Promise.all([1, 2, 3].map(async () => (await lambda.invoke("waits", { ms: 200 })).payload));
			const pids = await run();
			expect(new Set(pids).size).toBe(3);
			expect(new Set(await run())).toEqual(new Set(pids));
			expect(lambda.environments("waits")).toHaveLength(3);
		},
	);

	test.skipIf(skip)("throttles what is over the account's concurrency", async () => {
		const lambda = await startLambda({ waits, others: waits }, { runtime, concurrency: 1 });
		const { gate, open } = await createGate();
		const first = lambda.invoke("waits", { gate });
		await until(isBusy(lambda, "waits", 1), "the first invocation runs");
		expect(await rejection(lambda.invoke("others", { ms: 0 }))).toMatchObject({
			name: "TooManyRequestsException",
			message: "Rate Exceeded.",
			Reason: "ConcurrentInvocationLimitExceeded",
			Type: "User",
			$metadata: { httpStatusCode: 429 },
		});
		await open();
		expect((await first).functionError).toBeUndefined();
		expect((await lambda.invoke("others", { ms: 0 })).functionError).toBeUndefined();
	});

	test.skipIf(skip)("lets a function use what it has reserved, and no more", async () => {
		const lambda = await startLambda(
			{ reserved: { ...waits, reservedConcurrency: 1 }, waits },
			{ runtime, concurrency: 2 },
		);
		const { gate, open } = await createGate();
		const running = [lambda.invoke("reserved", { gate }), lambda.invoke("waits", { gate })];
		await until(isBusy(lambda, "reserved", 1), "the reserving function runs");
		await until(isBusy(lambda, "waits", 1), "the other function runs");
		const reasons = await Promise.all(
			["reserved", "waits"].map(async (name) => (await rejection(lambda.invoke(name, { ms: 0 }))).Reason),
		);
		expect(reasons).toEqual(["ReservedFunctionConcurrentInvocationLimitExceeded", "ConcurrentInvocationLimitExceeded"]);
		await open();
		expect((await Promise.all(running)).map(({ functionError }) => functionError)).toEqual([undefined, undefined]);
	});
});

test("never runs a function that reserves nothing at all", async () => {
	const lambda = await startLambda({ off: { ...waits, reservedConcurrency: 0 } });
	expect(await rejection(lambda.invoke("off", { ms: 0 }))).toMatchObject({
		Reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
	});
	expect(lambda.environments("off")).toEqual([]);
});

test("never starts a second environment for one invocation after the other", async () => {
	const lambda = await startLambda({ waits }, { concurrency: 1 });
	for (let count = 0; count < 50; count++) await lambda.invoke("waits", { ms: 0 });
	expect(lambda.environments("waits")).toHaveLength(1);
});
