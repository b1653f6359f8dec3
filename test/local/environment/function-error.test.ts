import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { behaves, fixture, misbehaves, runtimes, startLambda } from "../lambda.ts";

type Expected = { readonly errorType: string; readonly errorMessage: string; readonly trace?: unknown };

const exitMessage = (reason: string): string => `RequestId: <id> Error: ${reason}`;

describe.concurrent.each(runtimes)("a function error with the runtime $name", ({ runtime, skip }) => {
	test.skipIf(skip).for<[string, object, Expected]>([
		["rejects", {}, { errorType: "TypeError", errorMessage: "no such thing" }],
		["throwsAtOnce", {}, { errorType: "RangeError", errorMessage: "out of range" }],
		["throwsText", {}, { errorType: "string", errorMessage: "just text", trace: [] }],
		[
			"returnsCircular",
			{},
			{ errorType: "Runtime.JSONStringifyError", errorMessage: "Unable to stringify response body" },
		],
	])("is what the handler throws, when it %s", async ([exportName, event, expected], context) => {
		const lambda = await startLambda({ fails: { handler: misbehaves, exportName } }, { runtime }, context);
		const result = await lambda.invoke("fails", event, { LogType: "Tail" });
		expect(result).toMatchObject({ status: 200, functionError: "Unhandled", version: "$LATEST" });
		expect(result.payload).toEqual({ trace: expect.any(Array), ...expected });
		if (!expected.trace) {
			expect(result.payload.trace[0]).toBe(`${expected.errorType}: ${expected.errorMessage}`);
			expect(result.payload.trace[1]).toMatch(/^ {4}at /);
		}
		expect(result.log).toContain(`\t${result.requestId}\tERROR\tInvoke Error \t{"errorType":`);
		const [before] = lambda.environments("fails");
		await lambda.invoke("fails", event);
		expect(lambda.environments("fails")).toMatchObject([{ pid: before?.pid }]);
	});

	test.skipIf(skip).for<[string, object, string]>([
		["exits", { code: 1 }, "Runtime exited with error: exit status 1"],
		["exits", { code: 42 }, "Runtime exited with error: exit status 42"],
		["exits", { code: 0 }, "Runtime exited without providing a reason"],
		["diesOfSignal", { signal: "SIGKILL" }, "Runtime exited with error: signal: killed"],
		["diesOfSignal", { signal: "SIGSEGV" }, "Runtime exited with error: signal: segmentation fault"],
		["throwsLater", {}, "Runtime exited with error: exit status 1"],
		["leavesRejection", {}, "Runtime exited with error: exit status 1"],
		["neverSettles", {}, "Runtime exited without providing a reason"],
	])("is Runtime.ExitError when the handler %s %j", async ([exportName, event, reason], context) => {
		const lambda = await startLambda({ exits: { handler: misbehaves, exportName } }, { runtime }, context);
		const result = await lambda.invoke("exits", event, { LogType: "Tail" });
		expect(result).toMatchObject({ status: 200, functionError: "Unhandled" });
		expect(result.payload).toEqual({
			errorType: "Runtime.ExitError",
			errorMessage: exitMessage(reason).replace("<id>", String(result.requestId)),
		});
		expect(result.log).toContain(`\nRequestId: ${result.requestId} Error: ${reason}\nRuntime.ExitError\nEND `);
		expect(result.log).toMatch(/\tStatus: error\tError Type: Runtime.ExitError\n$/);
		expect(lambda.environments("exits")).toMatchObject([{ pid: undefined, state: "reset", frozen: false }]);
	});

	test.skipIf(skip)("is Runtime.ExitError when the heap grows over the memory size", async (context) => {
		const handler = { handler: misbehaves, exportName: "fillsHeap", timeoutMs: 100_000 };
		const lambda = await startLambda({ full: handler }, { runtime }, context);
		const { payload } = await lambda.invoke("full");
		expect(payload).toMatchObject({
			errorType: "Runtime.ExitError",
			errorMessage: expect.stringMatching(/Runtime exited with error: signal: (aborted|trace\/breakpoint trap)$/),
		});
	});

	test.skipIf(skip).for(["hangs", "blocks"])("is Sandbox.Timedout when the handler %s", async (exportName, context) => {
		const lambda = await startLambda(
			{ slow: { handler: misbehaves, exportName, timeoutMs: 250 } },
			{ runtime },
			context,
		);
		const startedAt = performance.now();
		const result = await lambda.invoke("slow", {}, { LogType: "Tail" });
		expect(performance.now() - startedAt).toBeGreaterThanOrEqual(249);
		expect(result).toMatchObject({ status: 200, functionError: "Unhandled" });
		expect(result.payload).toEqual({
			errorType: "Sandbox.Timedout",
			errorMessage: `RequestId: ${result.requestId} Error: Task timed out after 0.25 seconds`,
		});
		expect(result.log).toMatch(new RegExp(`Z ${result.requestId} Task timed out after 0.25 seconds\nEND`));
		expect(result.log).toContain("\tDuration: 250.00 ms\tBilled Duration: ");
		expect(result.log).toMatch(/\tStatus: timeout\n$/);
		expect(lambda.survivors()).toEqual([]);
	});

	test.skipIf(skip).for<[string, { handler: string; exportName?: string }, Expected]>([
		[
			"a file that does not exist",
			{ handler: fixture("missing.mjs") },
			{
				errorType: "Runtime.ImportModuleError",
				errorMessage: expect.stringMatching(/^Error: Cannot find module 'missing'\n/) as unknown as string,
			},
		],
		[
			"a folder that does not exist",
			{ handler: fixture("nowhere/missing.mjs") },
			{
				errorType: "Runtime.ImportModuleError",
				errorMessage: expect.stringMatching(/^Error: Cannot find module 'missing'\n/) as unknown as string,
			},
		],
		[
			"an export that does not exist",
			{ handler: behaves, exportName: "missing" },
			{ errorType: "Runtime.HandlerNotFound", errorMessage: "behaves.missing is undefined or not exported" },
		],
		[
			"an export that is no function",
			{ handler: misbehaves, exportName: "notAFunction" },
			{ errorType: "Runtime.HandlerNotFound", errorMessage: "misbehaves.notAFunction is not a function" },
		],
		[
			"a handler with a callback",
			{ handler: misbehaves, exportName: "takesCallback" },
			{
				errorType: "Runtime.CallbackHandlerDeprecated",
				errorMessage: expect.stringContaining("callback-based function handlers") as unknown as string,
			},
		],
	])("tells of %s", async ([, handler, expected], context) => {
		const lambda = await startLambda({ broken: handler }, { runtime }, context);
		const result = await lambda.invoke("broken");
		expect(result).toMatchObject({ status: 200, functionError: "Unhandled" });
		expect(result.payload).toEqual({ trace: expect.any(Array), ...expected });
		expect(lambda.environments("broken")).toMatchObject([{ pid: undefined, state: "reset" }]);
	});

	test.skipIf(skip)("tells of a file with a syntax error", async (context) => {
		const folder = await mkdtemp(join(tmpdir(), "syntax-"));
		context.onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
		await writeFile(join(folder, "broken.mjs"), "export const handler = async () => {{;");
		const lambda = await startLambda({ broken: { handler: join(folder, "broken.mjs") } }, { runtime }, context);
		expect((await lambda.invoke("broken")).payload).toEqual({
			errorType: "Runtime.UserCodeSyntaxError",
			errorMessage: expect.stringContaining("SyntaxError: "),
			trace: expect.arrayContaining([expect.stringContaining("SyntaxError: ")]),
		});
	});
});
