import { describe, expect, test } from "vitest";
import { behaves, createGate, fixture, rejection, runtimes, startLambda, until } from "./lambda.ts";
import { openStream, readStream } from "./streams.ts";

const streams = fixture("streams.mjs");
const megabyte = 1024 * 1024;

const handlerOf = (exportName: string) => ({ handler: streams, exportName, timeoutMs: 100_000, memorySizeMb: 512 });

describe.each(runtimes)("a streamed response with the runtime $name", ({ runtime, skip }) => {
	test.skipIf(skip)("reaches the client piece by piece while the handler runs", async () => {
		const lambda = await startLambda({ writes: handlerOf("writes") }, { runtime });
		const [first, second] = [await createGate(), await createGate()];
		const event = { pieces: ["one", "dvě 🐎"], gates: [first.gate, second.gate] };
		const stream = await openStream(lambda, "writes", event);
		expect(stream).toMatchObject({ status: 200, version: "$LATEST", requestId: expect.any(String) });
		expect(String(await stream.next())).toBe("one");
		expect(lambda.environments("writes")).toMatchObject([{ state: "busy", frozen: false }]);
		await first.open();
		expect(String(await stream.next())).toBe("dvě 🐎");
		await second.open();
		expect(await stream.next()).toBeUndefined();
		expect(stream.complete()).toEqual({});
		await until(() => lambda.environments("writes")[0]?.frozen === true, "the environment is frozen");
		expect((await readStream(lambda, "writes", { pieces: ["again"] })).bytes.toString()).toBe("again");
		expect(lambda.environments("writes")).toHaveLength(1);
	});

	test.skipIf(skip)("keeps bytes as they are, and characters that were split", async () => {
		const lambda = await startLambda({ writes: handlerOf("writes") }, { runtime });
		const bytes = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), Buffer.from("🐎ž")]);
		const cuts = [0, 1, 100, 257, 259, 261, bytes.length];
		const pieces = cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end).toString("base64"));
		const { bytes: received, complete } = await readStream(lambda, "writes", { pieces, base64: true });
		expect(received.equals(bytes)).toBe(true);
		expect(complete).toEqual({});
	});

	test.skipIf(skip)("may have 20 MB", { timeout: 60_000 }, async () => {
		const lambda = await startLambda({ many: handlerOf("writesMany") }, { runtime });
		const { bytes, complete } = await readStream(lambda, "many", { bytes: 20 * megabyte });
		expect(bytes.length).toBe(20 * megabyte);
		expect(bytes.subarray(-1520, -520).toString().trim()).toBe("20970");
		expect(complete).toEqual({});
	});

	test.skipIf(skip)("may be empty", async () => {
		const lambda = await startLambda({ writes: handlerOf("writes") }, { runtime });
		expect(await readStream(lambda, "writes")).toEqual({ bytes: Buffer.alloc(0), complete: {} });
	});

	test.skipIf(skip)("has the metadata of an HTTP response before its body", async () => {
		const lambda = await startLambda({ prelude: handlerOf("withPrelude") }, { runtime });
		const { bytes } = await readStream(lambda, "prelude");
		expect(bytes.toString()).toBe(`{"statusCode":201,"headers":{"x-made":"here"}}${"\0".repeat(8)}body`);
	});

	test.skipIf(skip)("writes objects as JSON, and takes a high-water mark", async () => {
		const lambda = await startLambda({ objects: handlerOf("writesObjects") }, { runtime });
		expect(JSON.parse((await readStream(lambda, "objects")).bytes.toString())).toEqual({ highWaterMark: 1234 });
		await until(() => lambda.logs.some(({ message }) => message.includes("ignore return values")), "it is warned");
	});

	test.skipIf(skip)("ends with the log when it is asked for", async () => {
		const lambda = await startLambda({ writes: handlerOf("writes") }, { runtime });
		const stream = await openStream(lambda, "writes", { pieces: ["a"], log: "heard" }, { LogType: "Tail" });
		expect(String(await stream.rest())).toBe("a");
		const { LogResult = "", ErrorCode } = stream.complete() ?? {};
		const log = Buffer.from(LogResult, "base64").toString();
		expect(ErrorCode).toBeUndefined();
		expect(log).toMatch(new RegExp(`^START RequestId: ${stream.requestId} `));
		expect(log).toContain(`\t${stream.requestId}\tINFO\theard\n`);
		expect(log).toMatch(/\nREPORT [^\n]*\n$/);
	});

	test.skipIf(skip)("goes on when the client goes away", async () => {
		const lambda = await startLambda({ writes: handlerOf("writes") }, { runtime });
		const { gate, open } = await createGate();
		const controller = new AbortController();
		const event = { pieces: ["one", "x".repeat(2 * megabyte), "three"], gates: [gate] };
		const stream = await openStream(lambda, "writes", event, {}, controller.signal);
		const { pid } = lambda.environments("writes")[0] ?? {};
		expect(String(await stream.next())).toBe("one");
		controller.abort();
		await rejection(stream.rest());
		await open();
		const findReport = () => lambda.logs.find(({ message }) => message.startsWith("REPORT"));
		await until(() => findReport() !== undefined, "the invocation has ended");
		expect(findReport()?.message).not.toContain("Status:");
		expect(lambda.environments("writes")).toMatchObject([{ pid }]);
	});

	test.skipIf(skip)("is the payload of a plain invocation", async () => {
		const lambda = await startLambda({ pid: handlerOf("tellsPid") }, { runtime });
		const { payload, requestId, functionError } = await lambda.invoke("pid");
		expect(payload).toEqual({ pid: lambda.environments("pid")[0]?.pid, requestId });
		expect(functionError).toBeUndefined();
	});

	test.skipIf(skip)("comes in pieces from a handler that returns its result, too", async () => {
		const handler = { handler: behaves, exportName: "isSynchronous", memorySizeMb: 1024, timeoutMs: 100_000 };
		const lambda = await startLambda({ echo: handler }, { runtime });
		const text = "x".repeat(5 * megabyte);
		const { bytes, complete } = await readStream(lambda, "echo", text);
		expect(JSON.parse(bytes.toString())).toEqual({ got: text });
		expect(complete).toEqual({});
	});

	test.skipIf(skip)("shares nothing with those that run at the same time", async () => {
		const lambda = await startLambda({ writes: handlerOf("writes") }, { runtime, concurrency: 3 });
		const { gate, open } = await createGate();
		const opened = await Promise.all(
			["a", "b", "c"].map((piece) => openStream(lambda, "writes", { pieces: [piece, piece], gates: [gate] })),
		);
		expect((await Promise.all(opened.map((stream) => stream.next()))).map(String)).toEqual(["a", "b", "c"]);
		expect(await rejection(openStream(lambda, "writes"))).toMatchObject({
			name: "TooManyRequestsException",
			Reason: "ConcurrentInvocationLimitExceeded",
			$metadata: { httpStatusCode: 429 },
		});
		await open();
		expect((await Promise.all(opened.map((stream) => stream.rest()))).map(String)).toEqual(["a", "b", "c"]);
		expect(lambda.environments("writes")).toHaveLength(3);
	});

	test.skipIf(skip).each([
		["a string", { who: "you" }, "hello you!"],
		["a stream", { who: "you", shape: "stream" }, "hello you, bye"],
		[
			"a response",
			{ who: "you", shape: "response" },
			`{"statusCode":200,"headers":{"a":"b"}}${"\0".repeat(8)}hello you, bye`,
		],
	])("is what Middy makes of %s", async (_what, event, expected) => {
		const lambda = await startLambda({ middy: handlerOf("middyStreams") }, { runtime });
		const { bytes, complete } = await readStream(lambda, "middy", event);
		expect(bytes.toString()).toBe(expected);
		expect(complete).toEqual({});
	});

	test.skipIf(skip)("reaches the client while Middy's handler still makes it", async () => {
		const lambda = await startLambda({ middy: handlerOf("middyStreams") }, { runtime });
		const { gate, open } = await createGate();
		const stream = await openStream(lambda, "middy", { who: "me", shape: "stream", gate });
		expect(String(await stream.next())).toBe("hello me");
		await open();
		expect(String(await stream.next())).toBe(", bye");
		expect(String(await stream.rest())).toBe("");
		expect(stream.complete()).toEqual({});
	});
});
