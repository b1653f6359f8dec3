import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { fixture, misbehaves, runtimes, startLambda, until } from "../lambda.ts";

describe.concurrent.each(runtimes)("the events of an environment with the runtime $name", ({ runtime, skip }) => {
	test.skipIf(skip)("are its states, its processes, and each freeze and thaw", async (context) => {
		const lambda = await startLambda({ echo: { handler: fixture("echo.mjs") } }, { runtime }, context);
		const rests = (times: number) =>
			until(() => lambda.events.filter(({ type }) => type === "frozen").length === times, `it rests ${times} times`);
		const first = await lambda.invoke("echo");
		await rests(1);
		const second = await lambda.invoke("echo");
		await rests(2);
		await lambda.close();
		const { pid } = first.payload;
		const [{ logStreamName } = { logStreamName: "" }] = lambda.logs;
		const states = lambda.events.flatMap((event) => (event.type === "state" ? [event] : []));
		expect(states).toMatchObject([
			{ from: "reset", to: "init", requestId: undefined, functionName: "echo", logStreamName },
			{ from: "init", to: "busy", requestId: first.requestId },
			{ from: "busy", to: "idle", requestId: first.requestId },
			{ from: "idle", to: "busy", requestId: second.requestId },
			{ from: "busy", to: "idle", requestId: second.requestId },
		]);
		const others = lambda.events.flatMap((event) => (event.type === "state" ? [] : [event]));
		expect(others.filter((event) => !("pid" in event) || event.pid === pid)).toMatchObject([
			{ type: "processStarted", pid },
			{ type: "frozen", pids: expect.arrayContaining([pid]) },
			{ type: "thawed", pids: expect.arrayContaining([pid]) },
			{ type: "frozen", pids: expect.arrayContaining([pid]) },
			{ type: "processEnded", pid },
		]);
		const times = lambda.events.map(({ at }) => at);
		expect(times).toEqual([...times].sort((one, other) => one - other));
	});

	test.skipIf(skip)("tell when a crash has reset it", async (context) => {
		const lambda = await startLambda({ exits: { handler: misbehaves, exportName: "exits" } }, { runtime }, context);
		const { functionError } = await lambda.invoke("exits");
		expect(functionError).toBe("Unhandled");
		const states = lambda.events.flatMap((event) => (event.type === "state" ? [event.to] : []));
		expect(states).toEqual(["init", "busy", "reset"]);
	});
});

test("each process is told to start and to end once, an orphan too", async () => {
	const folder = await mkdtemp(join(tmpdir(), "ticks-"));
	onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
	const lambda = await startLambda({ ticks: { handler: fixture("ticks.mjs"), exportName: "abandons" } });
	await lambda.invoke("ticks", { folder });
	const pids = (type: string) =>
		lambda.events.flatMap((event) => (event.type === type && "pid" in event ? event.pid : []));
	const started = pids("processStarted");
	expect(started.length).toBeGreaterThan(0);
	expect(new Set(started).size).toBe(started.length);
	expect(pids("processEnded").sort()).toEqual(started.sort());
});
