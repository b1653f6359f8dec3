import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { LocalFunctionOptions } from "../../../src/local/index.ts";
import { behaves, createGate, fixture, misbehaves, runtimes, startLambda, until } from "../lambda.ts";

const initialises = fixture("initialises.mjs");

describe.concurrent.each(runtimes)("an execution environment with the runtime $name", ({ runtime, skip }) => {
	test.skipIf(skip)("keeps the state of the module from one invocation to the next", async (context) => {
		const lambda = await startLambda({ echo: { handler: fixture("echo.mjs") } }, { runtime }, context);
		const results = [await lambda.invoke("echo"), await lambda.invoke("echo"), await lambda.invoke("echo")];
		expect(results.map(({ payload }) => payload.invocations)).toEqual([1, 2, 3]);
		expect(lambda.environments("echo")).toHaveLength(1);
	});

	test.skipIf(skip).for<[string, LocalFunctionOptions, unknown]>([
		["a CommonJS file", { handler: fixture("common.cjs") }, "from CommonJS"],
		["an export within an export", { handler: behaves, exportName: "deeply.nested.handler" }, "found"],
		["a member of the default export", { handler: behaves, exportName: "fromDefault" }, "from the default export"],
		["a handler that is not async", { handler: behaves, exportName: "isSynchronous" }, { got: {} }],
		["a handler that returns nothing", { handler: behaves, exportName: "returnsNothing" }, null],
		["a file below the task root", { handler: "functions/common.cjs", taskRoot: fixture("..") }, "from CommonJS"],
	])("runs %s", async ([, handler, expected], context) => {
		const lambda = await startLambda({ runs: handler }, { runtime }, context);
		const { payload, functionError } = await lambda.invoke("runs");
		expect([payload, functionError]).toEqual([expected, undefined]);
	});

	test.skipIf(skip)("offers the invocation's ids in the invoke store", async (context) => {
		const handler = { handler: behaves, exportName: "readsStore" };
		const lambda = await startLambda({ reads: handler }, { runtime }, context);
		const { payload, requestId } = await lambda.invoke("reads");
		expect(payload).toEqual([requestId, expect.stringMatching(/^Root=1-/), 1, true, null]);
	});

	test.skipIf(skip)("has Lambda's environment variables and nothing of the host's", async (context) => {
		process.env.HOST_SECRET = "do not pass on";
		const environment = { GREETING: "hello", AWS_ACCESS_KEY_ID: "mine", LANG: "C.UTF-8" };
		const lambda = await startLambda(
			{ shows: { handler: behaves, exportName: "showsEnvironment", memorySizeMb: 512, environment } },
			{ runtime, region: "eu-central-1" },
			context,
		);
		const { payload } = await lambda.invoke("shows");
		const [{ logStreamName } = {}] = lambda.environments("shows");
		const { PATH, TMPDIR, TEST_MARK, NODE_COMPILE_CACHE: _, ...rest } = payload;
		expect(PATH.split(":")[0]).toBe(dirname(process.execPath));
		expect(existsSync(TMPDIR)).toBe(true);
		expect(TEST_MARK).toBeDefined();
		expect(rest).toEqual({
			GREETING: "hello",
			LANG: "C.UTF-8",
			TZ: ":UTC",
			_HANDLER: "behaves.showsEnvironment",
			_X_AMZN_TRACE_ID: expect.stringContaining("Root=1-"),
			AWS_REGION: "eu-central-1",
			AWS_DEFAULT_REGION: "eu-central-1",
			AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${process.versions.node.split(".")[0]}.x`,
			AWS_LAMBDA_FUNCTION_NAME: "shows",
			AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "512",
			AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
			AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
			AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/shows",
			AWS_LAMBDA_LOG_STREAM_NAME: logStreamName,
			AWS_LAMBDA_RUNTIME_API: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
			AWS_ACCESS_KEY_ID: "mine",
			AWS_SECRET_ACCESS_KEY: expect.any(String),
			AWS_SESSION_TOKEN: expect.any(String),
			LAMBDA_TASK_ROOT: dirname(behaves),
			LAMBDA_RUNTIME_DIR: expect.any(String),
			cwd: dirname(behaves),
		});
	});

	test.skipIf(skip)("is reset by a timeout, and keeps its temporary folder", async (context) => {
		const lambda = await startLambda(
			{ remembers: { handler: behaves, exportName: "remembers", timeoutMs: 6000 } },
			{ runtime },
			context,
		);
		const first = await lambda.invoke("remembers", { write: "kept" });
		const timedOut = await lambda.invoke("remembers", { hang: true });
		const second = await lambda.invoke("remembers", {}, { LogType: "Tail" });
		expect(timedOut.functionError).toBe("Unhandled");
		expect(second.payload).toMatchObject({ text: "kept", folder: first.payload.folder });
		expect(second.payload.pid).not.toBe(first.payload.pid);
		expect(second.log).not.toContain("Init Duration");
		expect(lambda.environments("remembers")).toHaveLength(1);
		await lambda.close();
		expect(existsSync(first.payload.folder)).toBe(false);
	});

	test.skipIf(skip)("is reset by an exit, and starts again for the next invocation", async (context) => {
		const lambda = await startLambda({ exits: { handler: misbehaves, exportName: "exits" } }, { runtime }, context);
		const results = [await lambda.invoke("exits", { code: 1 }), await lambda.invoke("exits", { code: 2 })];
		expect(results.map(({ payload }) => payload.errorMessage.slice(-1))).toEqual(["1", "2"]);
		expect(lambda.environments("exits")).toHaveLength(1);
	});

	test.skipIf(skip)("answers although the process exits after the answer", async (context) => {
		const lambda = await startLambda(
			{ exits: { handler: behaves, exportName: "answersThenExits" } },
			{ runtime },
			context,
		);
		const pids: unknown[] = [];
		for (let count = 0; count < 3; count++) pids.push((await lambda.invoke("exits")).payload.errorType ?? "answered");
		// The exit comes before the answer, after it, or with the next invocation: all of them leave a usable environment.
		expect(pids.every((result) => result === "answered" || result === "Runtime.ExitError")).toBe(true);
		expect(lambda.environments("exits")).toHaveLength(1);
	});

	test.skipIf(skip)("reports an INIT that throws, and tries again at the next invocation", async (context) => {
		const lambda = await startLambda(
			{ init: { handler: initialises, environment: { INIT_STEPS: "throw,throw,ok" } } },
			{ runtime },
			context,
		);
		const failed = await lambda.invoke("init", {}, { LogType: "Tail" });
		expect(failed).toMatchObject({
			status: 200,
			functionError: "Unhandled",
			payload: { errorType: "RangeError", errorMessage: "INIT went wrong", trace: expect.any(Array) },
		});
		expect(failed.log).toMatch(
			/INIT_REPORT Init Duration: [\d.]+ ms\tPhase: invoke\tStatus: error\tError Type: RangeError\n/,
		);
		expect(lambda.logs.map(({ message }) => message)).toContainEqual(
			expect.stringMatching(/^INIT_REPORT .*\tPhase: init\tStatus: error\tError Type: RangeError$/),
		);
		expect(await lambda.invoke("init")).toMatchObject({ functionError: undefined, payload: 3 });
	});

	test.skipIf(skip)("starts a failed INIT again at the first invocation", async (context) => {
		const lambda = await startLambda(
			{ init: { handler: initialises, environment: { INIT_STEPS: "throw,ok" } } },
			{ runtime },
			context,
		);
		const result = await lambda.invoke("init", {}, { LogType: "Tail" });
		expect(result).toMatchObject({ functionError: undefined, payload: 2 });
		expect(result.log).not.toContain("Init Duration");
	});

	test.skipIf(skip)("reports an INIT that exits", async (context) => {
		const lambda = await startLambda(
			{ init: { handler: initialises, environment: { INIT_STEPS: "exit,exit" } } },
			{ runtime },
			context,
		);
		const { payload, requestId } = await lambda.invoke("init");
		expect(payload).toEqual({
			errorType: "Runtime.ExitError",
			errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: exit status 7`,
		});
	});

	test.skipIf(skip)("starts an INIT over its limit again, then under the function's timeout", async (context) => {
		const slow = { handler: initialises, initTimeoutMs: 500, timeoutMs: 60_000 };
		const { gate, open } = await createGate(context);
		const environment = { INIT_STEPS: "gate,gate", INIT_GATE: gate };
		const lambda = await startLambda({ init: { ...slow, environment } }, { runtime }, context);
		const invocation = lambda.invoke("init");
		const report = /^INIT_REPORT Init Duration: \d+\.\d\d ms\tPhase: init\tStatus: timeout$/;
		await until(() => lambda.logs.some(({ message }) => report.test(message)), "the first INIT is over its limit");
		// Longer than INIT's limit, which the second one does not have.
		await sleep(1000);
		await open();
		expect(await invocation).toMatchObject({ functionError: undefined, payload: expect.any(Number) });
	});

	test.skipIf(skip)("times out when the second INIT is over the function's timeout", async (context) => {
		const slow = { handler: initialises, initTimeoutMs: 300, timeoutMs: 300 };
		const lambda = await startLambda(
			{ init: { ...slow, environment: { INIT_STEPS: "60000,60000" } } },
			{ runtime },
			context,
		);
		const { payload } = await lambda.invoke("init");
		expect(payload).toMatchObject({ errorType: "Sandbox.Timedout" });
		expect(lambda.survivors()).toEqual([]);
	});

	test.skipIf(skip)("does not count INIT as part of the invocation", async (context) => {
		const lambda = await startLambda(
			{ init: { handler: initialises, timeoutMs: 600, environment: { INIT_STEPS: "800" } } },
			{ runtime },
			context,
		);
		const { payload, log } = await lambda.invoke("init", {}, { LogType: "Tail" });
		expect(payload).toBe(1);
		expect(Number(/Init Duration: ([\d.]+) ms/.exec(log)?.[1])).toBeGreaterThan(800);
		expect(Number(/\tDuration: ([\d.]+) ms/.exec(log)?.[1])).toBeLessThan(600);
	});

	test.skipIf(skip)("is replaced by a new process when it is killed from outside", async (context) => {
		const lambda = await startLambda({ echo: { handler: fixture("echo.mjs") } }, { runtime }, context);
		const first = await lambda.invoke("echo");
		process.kill(first.payload.pid, "SIGKILL");
		await until(() => lambda.environments("echo")[0]?.state === "reset", "the exit is noticed");
		expect((await lambda.invoke("echo")).payload.invocations).toBe(1);
	});
});
