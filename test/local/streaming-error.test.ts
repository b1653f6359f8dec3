import { describe, expect, test } from "vitest";
import { behaves, createGate, fixture, misbehaves, rejection, runtimes, startLambda, until } from "./lambda.ts";
import { openStream, readStream } from "./streams.ts";

const streams = fixture("streams.mjs");
const megabyte = 1024 * 1024;

const fails = { handler: streams, exportName: "fails", timeoutMs: 100_000 } as const;

const trace = expect.any(Array) as unknown;
const wentWrong = { errorType: "TypeError", errorMessage: "went wrong – midway", trace };

describe.each(runtimes)("a stream that fails, with the runtime $name,", ({ runtime, skip }) => {
	test.skipIf(skip)("ends with the handler's error, after what was written", async () => {
		const lambda = await startLambda({ fails }, { runtime });
		const { gate, open } = await createGate();
		const stream = await openStream(lambda, "fails", { piece: "half", gate, how: "throw" }, { LogType: "Tail" });
		expect(String(await stream.next())).toBe("half");
		await open();
		expect(await stream.next()).toBeUndefined();
		const { ErrorCode, ErrorDetails = "", LogResult = "" } = stream.complete() ?? {};
		expect(ErrorCode).toBe("TypeError");
		expect(JSON.parse(ErrorDetails)).toEqual(wentWrong);
		expect(Buffer.from(LogResult, "base64").toString()).toContain(`\t${stream.requestId}\tERROR\tInvoke Error \t`);
		const [before] = lambda.environments("fails");
		expect((await readStream(lambda, "fails", { how: "throw" })).complete?.ErrorCode).toBe("TypeError");
		expect(lambda.environments("fails")).toMatchObject([{ pid: before?.pid }]);
	});

	test.skipIf(skip)("ends with the handler's error before any byte", async () => {
		const lambda = await startLambda({ fails }, { runtime });
		for (let count = 0; count < 20; count++) {
			const { bytes, complete } = await readStream(lambda, "fails", { how: "throw" });
			expect([bytes.length, complete?.ErrorCode]).toEqual([0, "TypeError"]);
			expect(JSON.parse(complete?.ErrorDetails ?? "")).toEqual(wentWrong);
		}
		expect(lambda.environments("fails")).toHaveLength(1);
	});

	test.skipIf(skip)("is a function error of a plain invocation", async () => {
		const lambda = await startLambda({ fails }, { runtime });
		const event = { piece: "half", how: "throw" };
		expect(await lambda.invoke("fails", event)).toMatchObject({ functionError: "Unhandled", payload: wentWrong });
		expect(await lambda.invoke("fails", { piece: "half", how: "exit" })).toMatchObject({
			functionError: "Unhandled",
			payload: { errorType: "Runtime.ExitError", errorMessage: expect.stringMatching(/exit status 3$/) },
		});
	});

	test.skipIf(skip).each([
		["exits", "exit", "exit status 3"],
		["is killed", "kill", "signal: killed"],
	])("is truncated when the process %s", async (_what, how, reason) => {
		const lambda = await startLambda({ fails }, { runtime });
		const { gate, open } = await createGate();
		const stream = await openStream(lambda, "fails", { piece: "half", gate, how }, { LogType: "Tail" });
		expect(String(await stream.next())).toBe("half");
		await open();
		expect(await stream.next()).toBeUndefined();
		const { LogResult = "", ...error } = stream.complete() ?? {};
		expect(error).toEqual({ ErrorCode: "Runtime.TruncatedResponse" });
		const log = Buffer.from(LogResult, "base64").toString();
		expect(log).toContain(`RequestId: ${stream.requestId} Error: Runtime exited with error: ${reason}\n`);
		expect(log).toMatch(/\tStatus: error\tError Type: Runtime.ExitError\n$/);
		expect(lambda.survivors()).toEqual([]);
	});

	test.skipIf(skip).each([
		["and returns", "destroy, then return"],
		["and runs on", "destroy"],
	])("is truncated when the handler destroys it %s", async (_what, how) => {
		const lambda = await startLambda({ fails }, { runtime });
		const { gate, open } = await createGate();
		const stream = await openStream(lambda, "fails", { piece: "half", gate, how });
		expect(String(await stream.next())).toBe("half");
		await open();
		expect(await stream.next()).toBeUndefined();
		expect(stream.complete()).toEqual({ ErrorCode: "Runtime.TruncatedResponse" });
		expect((await readStream(lambda, "fails", { how: "throw" })).complete?.ErrorCode).toBe("TypeError");
		expect(lambda.environments("fails")).toHaveLength(1);
	});

	test.skipIf(skip).each([
		["hangs", { piece: "half", how: "hang" }, "half"],
		["hangs before any byte", { how: "hang" }, ""],
		["returns without ending its stream", { piece: "half", how: "forget" }, "half"],
	])("times out when the handler %s", async (_what, event, expected) => {
		const lambda = await startLambda({ slow: { ...fails, timeoutMs: 700 } }, { runtime });
		const stream = await openStream(lambda, "slow", event, { LogType: "Tail" });
		expect(String(await stream.rest())).toBe(expected);
		const { ErrorCode, ErrorDetails = "", LogResult = "" } = stream.complete() ?? {};
		// Before its first byte a stream has not begun: AWS's runtime sends its headers with it.
		expect(ErrorCode).toBe(expected === "" ? "Unhandled" : "Sandbox.Timedout");
		expect(JSON.parse(ErrorDetails)).toEqual({
			errorType: "Sandbox.Timedout",
			errorMessage: `RequestId: ${stream.requestId} Error: Task timed out after 0.70 seconds`,
		});
		expect(Buffer.from(LogResult, "base64").toString()).toMatch(/\tStatus: timeout\n$/);
		expect(lambda.environments("slow")).toMatchObject([{ state: "reset" }]);
		expect(lambda.survivors()).toEqual([]);
	});

	test.skipIf(skip)("is complete when the handler fails after its end", async () => {
		const lambda = await startLambda({ fails }, { runtime });
		const { bytes, complete } = await readStream(lambda, "fails", { how: "end, then throw" });
		expect([bytes.toString(), complete]).toEqual(["all", {}]);
	});

	test.skipIf(skip)("is cut at 200 MB", { timeout: 120_000 }, async () => {
		const zeros = { handler: streams, exportName: "writesZeros", timeoutMs: 90_000, memorySizeMb: 1024 };
		const lambda = await startLambda({ zeros }, { runtime });
		const limit = 200 * megabyte;
		const stream = await openStream(lambda, "zeros", { bytes: limit + 1 });
		let length = 0;
		for (let piece = await stream.next(); piece; piece = await stream.next()) length += piece.length;
		expect(length).toBe(limit);
		const { ErrorCode, ErrorDetails = "" } = stream.complete() ?? {};
		expect(ErrorCode).toBe("Function.ResponseSizeTooLarge");
		expect(JSON.parse(ErrorDetails).errorMessage).toContain("(209715200 bytes)");
		expect(await lambda.invoke("zeros", { bytes: 6 * megabyte + 101 })).toMatchObject({
			functionError: "Unhandled",
			payload: { errorType: "Function.ResponseSizeTooLarge" },
		});
		expect(lambda.environments("zeros")).toHaveLength(1);
	});

	test.skipIf(skip).each<[string, object, object]>([
		["throws", { handler: misbehaves, exportName: "rejects" }, { errorType: "TypeError", trace }],
		["is not there", { handler: streams, exportName: "missing" }, { errorType: "Runtime.HandlerNotFound", trace }],
		["exits", { handler: misbehaves, exportName: "exits" }, { errorType: "Runtime.ExitError" }],
		[
			"returns more than 6 MB",
			{ handler: misbehaves, exportName: "returnsLarge", memorySizeMb: 1024 },
			{ errorType: "Function.ResponseSizeTooLarge" },
		],
		[
			"streams requests",
			{ handler: streams, exportName: "streamsRequests" },
			{ errorType: "Runtime.MalformedStreamingHandler", errorMessage: "Only response streaming is supported.", trace },
		],
	])("is the function error of a handler that %s", async (_what, handler, expected) => {
		const fn = { timeoutMs: 100_000, ...handler } as typeof fails;
		const lambda = await startLambda({ fn }, { runtime });
		const { bytes, complete } = await readStream(lambda, "fn", { code: 1, bytes: 7 * megabyte });
		expect([bytes.length, complete?.ErrorCode]).toEqual([0, "Unhandled"]);
		expect(JSON.parse(complete?.ErrorDetails ?? "")).toEqual({ errorMessage: expect.any(String), ...expected });
	});

	test.skipIf(skip).each([
		["isSynchronous", "Error", "Streaming does not support non-async handlers.", "unheard"],
		["setsContentTypeLate", "Runtime.InvalidStreamingOperation", "Cannot set content-type, too late.", "first"],
	])("tells what is wrong with the handler %s", async (exportName, code, errorMessage, written) => {
		const lambda = await startLambda({ fn: { ...fails, exportName } }, { runtime });
		const { bytes, complete } = await readStream(lambda, "fn");
		expect([bytes.toString(), complete?.ErrorCode]).toEqual([written, code]);
		expect(JSON.parse(complete?.ErrorDetails ?? "")).toEqual({ errorType: code, errorMessage, trace });
	});

	test.skipIf(skip)("is what Middy's handler throws", async () => {
		const middy = { handler: streams, exportName: "middyStreams", timeoutMs: 100_000 };
		const lambda = await startLambda({ middy }, { runtime });
		const { complete } = await readStream(lambda, "middy", { throws: true });
		expect(complete?.ErrorCode).toBe("Error");
		expect(JSON.parse(complete?.ErrorDetails ?? "")).toMatchObject({ errorMessage: "thrown in Middy" });
	});
});

describe("InvokeWithResponseStream", () => {
	const echo = { handler: behaves, exportName: "isSynchronous" };

	test.each<[string, object, string, number]>([
		["an unknown function", { FunctionName: "other" }, "ResourceNotFoundException", 404],
		["an unknown version", { Qualifier: "7" }, "ResourceNotFoundException", 404],
		["a payload that is not JSON", { Payload: "{oops" }, "InvalidRequestContentException", 400],
		["a client context that is not JSON", { ClientContext: "b29wcw==" }, "InvalidRequestContentException", 400],
		["a type it does not know", { InvocationType: "Event" }, "InvalidParameterValueException", 400],
		["a payload over 6 MB", { Payload: "1".repeat(6 * megabyte + 1) }, "RequestTooLargeException", 413],
	])("refuses %s as Invoke does", async (_what, input, name, httpStatusCode) => {
		const lambda = await startLambda({ echo });
		const error = await rejection(openStream(lambda, "echo", {}, input));
		expect(error).toMatchObject({ name, $metadata: { httpStatusCode } });
		expect(lambda.environments("echo")).toEqual([]);
	});

	test("takes what Invoke takes: a qualifier, a client context, a tenant", async () => {
		const lambda = await startLambda({ echo: { handler: fixture("echo.mjs"), tenantIsolation: true } });
		const ClientContext = Buffer.from('{"custom":{"tool":"čau"}}').toString("base64");
		const input = { Qualifier: "$LATEST", ClientContext, TenantId: "tenant" };
		const { bytes, complete } = await readStream(lambda, "echo", { a: 1 }, input);
		expect(complete).toEqual({});
		expect(JSON.parse(bytes.toString())).toMatchObject({
			event: { a: 1 },
			context: {
				clientContext: { custom: { tool: "čau" } },
				invokedFunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:echo:$LATEST",
			},
		});
	});

	test("answers a DryRun without running the function", async () => {
		const lambda = await startLambda({ echo });
		expect(await openStream(lambda, "echo", {}, { InvocationType: "DryRun" })).toMatchObject({ status: 204 });
		expect(lambda.environments("echo")).toEqual([]);
	});

	test("answers as an event stream", async () => {
		const lambda = await startLambda({ echo });
		const path = "2021-11-15/functions/echo/response-streaming-invocations";
		const response = await fetch(`${lambda.endpoint}/${path}`, { method: "POST" });
		expect(response.headers.get("content-type")).toBe("application/vnd.amazon.eventstream");
		expect(response.headers.get("x-amz-executed-version")).toBe("$LATEST");
		expect(response.headers.get("x-amzn-requestid")).toMatch(/^[\da-f-]{36}$/);
		expect((await response.text()).match(/PayloadChunk|InvokeComplete/g)).toEqual(["PayloadChunk", "InvokeComplete"]);
	});

	test("refuses a name that is not URL-encoded", async () => {
		const lambda = await startLambda({ echo });
		const path = "2021-11-15/functions/%E0%A4%A/response-streaming-invocations";
		const response = await fetch(`${lambda.endpoint}/${path}`, { method: "POST" });
		expect([response.status, response.headers.get("x-amzn-errortype")]).toEqual([400, "ValidationException"]);
	});

	test("breaks off when the Lambda is closed", async () => {
		const lambda = await startLambda({ fails });
		const stream = await openStream(lambda, "fails", { piece: "half", how: "hang" });
		expect(String(await stream.next())).toBe("half");
		const broken = rejection(stream.rest());
		await lambda.close();
		await broken;
		expect(lambda.survivors()).toEqual([]);
		await until(() => lambda.environments("fails")[0]?.state === "reset", "the environment has ended");
	});
});
