import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { fixture, runtimes, startLambda, until } from "../lambda.ts";

const ticks = fixture("ticks.mjs");
const tickers = ["timer", "child", "detached", "orphan"] as const;

async function makeFolder(): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "ticks-"));
	onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
	return folder;
}

const readTicks = (folder: string): number[] =>
	tickers.map((name) => readFileSync(join(folder, name), "utf8").split("\n").length);

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(runtimes)("between invocations, with the runtime $name,", ({ runtime, skip }) => {
	test.skipIf(skip)("every process of the environment is stopped, and continued by the next invocation", async () => {
		const folder = await makeFolder();
		const lambda = await startLambda({ ticks: { handler: ticks, timeoutMs: 100_000 } }, { runtime });
		await lambda.invoke("ticks", { folder, start: true });
		await until(() => lambda.environments("ticks")[0]?.frozen === true, "the environment is frozen");
		const stopped = readTicks(folder);
		expect(Math.min(...stopped)).toBeGreaterThan(2);
		await sleep(200);
		expect(readTicks(folder)).toEqual(stopped);

		await lambda.invoke("ticks", { folder });
		const continued = readTicks(folder);
		for (const [index, count] of continued.entries()) expect(count).toBeGreaterThan(stopped[index] ?? 0);
		await until(() => lambda.environments("ticks")[0]?.frozen === true, "the environment is frozen again");
		const stoppedAgain = readTicks(folder);
		await sleep(200);
		expect(readTicks(folder)).toEqual(stoppedAgain);
		await lambda.close();
		expect(lambda.survivors()).toEqual([]);
	});

	test.skipIf(skip)("processes run on when freezing is switched off", async () => {
		const folder = await makeFolder();
		const lambda = await startLambda({ ticks: { handler: ticks, timeoutMs: 100_000, freeze: false } }, { runtime });
		await lambda.invoke("ticks", { folder, start: true });
		const before = readTicks(folder);
		await until(() => readTicks(folder).every((count, index) => count > (before[index] ?? 0)), "all have ticked");
		await until(() => lambda.environments("ticks")[0]?.state === "idle", "the runtime asks for the next invocation");
		expect(lambda.environments("ticks")).toMatchObject([{ frozen: false }]);
	});
});

test("a process that was orphaned before anybody saw it is ended with the environment", async () => {
	const folder = await makeFolder();
	const lambda = await startLambda({ abandons: { handler: ticks, exportName: "abandons" } });
	const { payload } = await lambda.invoke("abandons", { folder });
	expect(payload.errorType).toBe("Runtime.ExitError");
	expect(lambda.survivors()).toEqual([]);
});
