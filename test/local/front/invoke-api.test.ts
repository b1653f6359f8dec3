import { networkInterfaces } from "node:os";
import { describe, expect, test } from "vitest";
import { behaves, createGate, fixture, misbehaves, rejection, runtimes, startLambda, until } from "../lambda.ts";

const echo = fixture("echo.mjs");
const megabyte = 1024 * 1024;
const hasIpv6 = (networkInterfaces().lo ?? networkInterfaces().lo0)?.some(({ address }) => address === "::1") ?? false;

describe.each(runtimes)("Invoke with the runtime $name", ({ runtime, skip }) => {
	test.skipIf(skip)("answers a RequestResponse with what the handler returns", async () => {
		const lambda = await startLambda({ echo: { handler: echo } }, { runtime });
		const result = await lambda.invoke("echo", { text: "žluťoučký 🐎", list: [1, null] });
		expect(result).toMatchObject({ status: 200, functionError: undefined, version: "$LATEST" });
		expect(result.payload.event).toEqual({ text: "žluťoučký 🐎", list: [1, null] });
		expect(result.payload.context.awsRequestId).toBe(result.requestId);
	});

	test.skipIf(skip)("gives the handler the context that Lambda gives", async () => {
		const lambda = await startLambda({ echo: { handler: echo, memorySizeMb: 256, timeoutMs: 5000 } }, { runtime });
		const { payload } = await lambda.invoke("echo");
		const [environment] = lambda.environments("echo");
		expect(payload.context).toEqual({
			awsRequestId: expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/),
			functionName: "echo",
			functionVersion: "$LATEST",
			invokedFunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:echo",
			memoryLimitInMB: "256",
			logGroupName: "/aws/lambda/echo",
			logStreamName: environment?.logStreamName,
			xRayTraceId: expect.stringMatching(/^Root=1-[\da-f]{8}-[\da-f]{24};Parent=[\da-f]{16};Sampled=0$/),
		});
		expect(payload.traceId).toBe(payload.context.xRayTraceId);
		expect(payload.remainingMs).toBeGreaterThan(4500);
		expect(payload.remainingMs).toBeLessThanOrEqual(5000);
	});

	test.skipIf(skip || !hasIpv6)("answers on an IPv6 address", async () => {
		const lambda = await startLambda({ echo: { handler: echo } }, { runtime, host: "::1" });
		expect(new URL(lambda.endpoint).hostname).toBe("[::1]");
		expect((await lambda.invoke("echo", { text: "six" })).payload.event).toEqual({ text: "six" });
	});

	test.skipIf(skip)("passes the client context to the handler", async () => {
		const lambda = await startLambda({ echo: { handler: echo } }, { runtime });
		const ClientContext = Buffer.from('{"custom":{"tool":"čau"}}').toString("base64");
		const { payload } = await lambda.invoke("echo", {}, { ClientContext });
		expect(payload.context.clientContext).toEqual({ custom: { tool: "čau" } });
	});

	test.skipIf(skip)("keeps a caller's trace id", async () => {
		const lambda = await startLambda({ echo: { handler: echo } }, { runtime });
		const traceId = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
		const response = await fetch(`${lambda.endpoint}/2015-03-31/functions/echo/invocations`, {
			method: "POST",
			headers: { "X-Amzn-Trace-Id": traceId },
		});
		expect(await response.json()).toMatchObject({ traceId, context: { xRayTraceId: traceId }, event: {} });
	});

	test.skipIf(skip)("accepts an Event at once and runs it in the background", async () => {
		const waits = { handler: behaves, exportName: "waits", timeoutMs: 100_000 };
		const lambda = await startLambda({ waits }, { runtime, concurrency: 1 });
		const { gate, open } = await createGate();
		const results = [1, 2].map(() => lambda.invoke("waits", { gate }, { InvocationType: "Event" }));
		expect(await Promise.all(results)).toMatchObject([
			{ status: 202, payload: undefined },
			{ status: 202, payload: undefined },
		]);
		await open();
		await until(() => lambda.logs.filter(({ message }) => message.startsWith("END")).length === 2, "both have run");
	});

	test.skipIf(skip)("answers a DryRun without running the function", async () => {
		const lambda = await startLambda({ echo: { handler: echo } }, { runtime });
		expect(await lambda.invoke("echo", {}, { InvocationType: "DryRun" })).toMatchObject({ status: 204 });
		expect(lambda.environments("echo")).toEqual([]);
	});

	test.skipIf(skip)("returns the end of the invocation's log when it is asked for", async () => {
		const lambda = await startLambda({ logs: { handler: behaves, exportName: "logs" } }, { runtime });
		const { log, requestId } = await lambda.invoke("logs", {}, { LogType: "Tail" });
		const time = String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`;
		const lines = log.trimEnd().split("\n");
		expect(lines).toHaveLength(6);
		expect(lines[0]).toBe(`START RequestId: ${requestId} Version: $LATEST`);
		// The two streams are two pipes: their order is not kept.
		expect(lines.slice(1, 4).filter((line) => line !== "raw stderr")).toEqual([
			expect.stringMatching(new RegExp(`^${time}\t${requestId}\tINFO\ta line of text$`)),
			expect.stringMatching(new RegExp(`^${time}\t${requestId}\tERROR\ttwo\rlines$`)),
		]);
		expect(lines[4]).toBe(`END RequestId: ${requestId}`);
		expect(lines[5]).toMatch(
			new RegExp(
				`^REPORT RequestId: ${requestId}\tDuration: [\\d.]+ ms\tBilled Duration: \\d+ ms\tMemory Size: 128 MB\t` +
					"Max Memory Used: \\d+ MB\tInit Duration: [\\d.]+ ms$",
			),
		);
		const second = await lambda.invoke("logs", { bytes: 10_000 }, { LogType: "Tail" });
		expect(Buffer.byteLength(second.log)).toBe(4096);
		expect(second.log).toMatch(/^x+\n(raw stderr\n)?END .*\nREPORT [^\n]*\n$/);
		expect(second.log).not.toContain("Init Duration");
		expect((await lambda.invoke("logs")).log).toBe("");
	});

	test.skipIf(skip)("takes payloads up to 6 MB and gives results up to 6 MB", async () => {
		const handler = { handler: behaves, exportName: "isSynchronous", memorySizeMb: 1024, timeoutMs: 100_000 };
		const lambda = await startLambda({ echo: handler }, { runtime });
		const text = "x".repeat(6 * megabyte - 2);
		expect((await lambda.invoke("echo", text)).payload.got).toHaveLength(text.length);
		expect(await rejection(lambda.invoke("echo", `${text}x`))).toMatchObject({
			name: "RequestTooLargeException",
			message: "6291457 byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)",
			$metadata: { httpStatusCode: 413 },
		});
		const event = { InvocationType: "Event" } as const;
		expect(await rejection(lambda.invoke("echo", "x".repeat(megabyte - 1), event))).toMatchObject({
			name: "RequestTooLargeException",
			message: "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)",
		});
	});

	test.skipIf(skip)("answers a result over 6 MB with a function error and keeps the environment", async () => {
		const handler = { handler: misbehaves, exportName: "returnsLarge", memorySizeMb: 1024, timeoutMs: 100_000 };
		const lambda = await startLambda({ large: handler }, { runtime });
		const limit = 6 * megabyte + 100;
		expect((await lambda.invoke("large", { bytes: limit })).payload).toHaveLength(limit - 2);
		const [before] = lambda.environments("large");
		expect(await lambda.invoke("large", { bytes: limit + 1 })).toMatchObject({
			status: 200,
			functionError: "Unhandled",
			payload: {
				errorType: "Function.ResponseSizeTooLarge",
				errorMessage: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
			},
		});
		expect((await lambda.invoke("large", { bytes: 10 })).payload).toBe("xxxxxxxx");
		expect(lambda.environments("large")).toMatchObject([{ pid: before?.pid }]);
	});
});

describe("Invoke", () => {
	const arn = "arn:aws:lambda:us-east-1:123456789012:function:echo";

	test.each([
		["a name", "echo", arn],
		["a name with $LATEST", "echo:$LATEST", `${arn}:$LATEST`],
		["a partial ARN", "123456789012:function:echo", arn],
		["an ARN", arn, arn],
		["another account's ARN", "arn:aws:lambda:eu-central-1:999999999999:function:echo", arn],
	])("finds a function by %s", async (_what, FunctionName, invokedFunctionArn) => {
		const lambda = await startLambda({ echo: { handler: echo } });
		const { payload } = await lambda.invoke(FunctionName);
		expect(payload.context.invokedFunctionArn).toBe(invokedFunctionArn);
	});

	test.each([
		["an unknown function", "other", undefined, "arn:aws:lambda:us-east-1:123456789012:function:other"],
		["an unknown version", "echo", "7", `${arn}:7`],
		["an alias in the name", "echo:live", undefined, `${arn}:live`],
	])("answers 404 to %s", async (_what, FunctionName, Qualifier, missing) => {
		const lambda = await startLambda({ echo: { handler: echo } });
		expect(await rejection(lambda.invoke(FunctionName, {}, { Qualifier }))).toMatchObject({
			name: "ResourceNotFoundException",
			message: `Function not found: ${missing}`,
			Type: "User",
			$metadata: { httpStatusCode: 404 },
		});
	});

	test.each([
		["a payload that is not JSON", { Payload: "{oops" }, "InvalidRequestContentException"],
		["a client context that is not JSON", { ClientContext: "b29wcw==" }, "InvalidRequestContentException"],
		["a client context over 3583 bytes", { ClientContext: "a".repeat(3584) }, "InvalidParameterValueException"],
		["qualifiers that differ", { FunctionName: "echo:$LATEST", Qualifier: "7" }, "InvalidParameterValueException"],
		["a name with characters that no name has", { FunctionName: "echo!" }, "ValidationException"],
	])("answers 400 to %s", async (_what, input, name) => {
		const lambda = await startLambda({ echo: { handler: echo } });
		const error = await rejection(lambda.invoke("echo", {}, input));
		expect(error).toMatchObject({ name, $metadata: { httpStatusCode: 400 } });
		expect(lambda.environments("echo")).toEqual([]);
	});

	test("refuses operations that it does not know", async () => {
		const lambda = await startLambda({ echo: { handler: echo } });
		const response = await fetch(`${lambda.endpoint}/2015-03-31/functions/`);
		expect([response.status, response.headers.get("x-amzn-errortype")]).toEqual([404, "UnknownOperationException"]);
	});
});
