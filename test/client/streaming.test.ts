import { describe, expect, test } from "vitest";
import {
	type Answer,
	chunk,
	complete,
	connect,
	exceptionFrame,
	payload,
	rejection,
	result,
	serviceError,
	startLambdaApi,
	stream,
	toolCall,
	toolsList,
} from "./lambda-api.ts";

const progress = (step: number) => ({
	jsonrpc: "2.0",
	method: "notifications/progress",
	params: { progressToken: 1, progress: step },
});
const response = { jsonrpc: "2.0", id: 1, result: { content: [] } };
const line = (message: object) => `${JSON.stringify(message)}\n`;

async function start(...answers: Answer[]) {
	const api = await startLambdaApi(...answers);
	return { api, ...connect(api, { streaming: true }) };
}

describe("a streamed result", () => {
	test("arrives message by message while the function works", async () => {
		const { promise: seen, resolve: see } = Promise.withResolvers<void>();
		const { api, transport, messages } = await start(
			stream([chunk(line(progress(1))), () => seen, chunk(line(progress(2)) + line(response)), complete()]),
		);
		const { onmessage } = transport;
		transport.onmessage = (message) => {
			onmessage?.(message);
			see();
		};
		await transport.send(toolCall);
		expect(messages).toStrictEqual([progress(1), progress(2), response]);
		expect(api.calls[0]?.path).toBe("/2021-11-15/functions/everything/response-streaming-invocations");
	});

	test("is cut between messages, whatever the chunks are", async () => {
		const bytes = Buffer.from(line(progress(1)) + JSON.stringify({ ...response, result: { text: "žluť 🐎" } }));
		const chunks = Array.from(bytes, (_, index) => chunk(bytes.subarray(index, index + 1)));
		const { transport, messages } = await start(stream([...chunks, complete()]));
		await transport.send(toolCall);
		expect(messages).toStrictEqual([progress(1), { ...response, result: { text: "žluť 🐎" } }]);
	});

	test("leaves time between messages, in which the SDKs handle a notification", async () => {
		const { transport } = await start(stream([chunk(line(progress(1)) + line(response)), complete()]));
		const order: string[] = [];
		transport.onmessage = async ({ method = "response" }) => {
			order.push(method);
			for (let turn = 0; turn < 50; turn += 1) await undefined;
			order.push(`handled ${method}`);
		};
		await transport.send(toolCall);
		expect(order.slice(0, 3)).toStrictEqual(["notifications/progress", "handled notifications/progress", "response"]);
	});

	test.each([
		["in one piece", [chunk(JSON.stringify(response)), complete()]],
		["in pieces that are empty too", [chunk(""), chunk(JSON.stringify(response)), chunk("\n"), complete()]],
	])("may come from a function that does not stream: %s", async (_, frames) => {
		const { transport, messages } = await start(stream(frames));
		await transport.send(toolCall);
		expect(messages).toStrictEqual([response]);
	});

	test("of a notification is of no interest", async () => {
		const { transport, messages } = await start(stream([chunk("{}"), complete()]));
		await transport.send({ jsonrpc: "2.0", method: "notifications/initialized" });
		expect(messages).toStrictEqual([]);
	});

	test("is whole when only its end is missing after the response", async () => {
		const { transport, messages, errors } = await start(stream([chunk(line(response))], "break"));
		await transport.send(toolCall);
		expect([messages, errors]).toStrictEqual([[response], []]);
	});
});

describe("a stream that fails", () => {
	test.each<[string, Answer, string, string]>([
		["breaks off", stream([chunk(line(progress(1)))], "break"), "STREAM_BROKEN", "unknown"],
		["breaks off in a message", stream([chunk('{"jsonrpc"')], "break"), "STREAM_BROKEN", "unknown"],
		["ends without its last frame", stream([chunk(line(progress(1)))]), "STREAM_BROKEN", "unknown"],
		["has no frame", stream([]), "STREAM_BROKEN", "unknown"],
		["has an exception in it", stream([exceptionFrame("ServiceException", "no")]), "STREAM_BROKEN", "unknown"],
		["is damaged", stream([Buffer.from(chunk("{}")).fill(1, 12, 14)]), "STREAM_BROKEN", "unknown"],
		["has no response", stream([chunk(line(progress(1))), complete()]), "INVALID_RESPONSE", "ran"],
		["is no JSON", stream([chunk("<html>\n"), complete()]), "INVALID_RESPONSE", "ran"],
		["is not a stream", payload("{}"), "STREAM_BROKEN", "unknown"],
		[
			"is of a function that timed out",
			stream([complete({ ErrorCode: "Sandbox.Timedout", ErrorDetails: "Task timed out after 3.00 seconds" })]),
			"FUNCTION_TIMEOUT",
			"ran",
		],
		[
			"is of a function that timed out, in JSON",
			stream([
				complete({
					ErrorCode: "Unhandled",
					ErrorDetails:
						'{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 8 Error: Task timed out after 3.00 seconds"}',
				}),
			]),
			"FUNCTION_TIMEOUT",
			"ran",
		],
		[
			"is of a function that exited midway",
			stream([chunk(line(progress(1))), complete({ ErrorCode: "Runtime.ExitError", ErrorDetails: "Runtime exited" })]),
			"FUNCTION_EXITED",
			"ran",
		],
		[
			"is of a function whose result broke off",
			stream([chunk(line(progress(1))), complete({ ErrorCode: "Runtime.TruncatedResponse" })]),
			"FUNCTION_EXITED",
			"ran",
		],
		[
			"is of a function that was out of memory",
			stream([complete({ ErrorCode: "Runtime.OutOfMemory" })]),
			"FUNCTION_OUT_OF_MEMORY",
			"ran",
		],
		[
			"is of a function that threw midway",
			stream([complete({ ErrorCode: "Function.Unknown", ErrorDetails: "no" })]),
			"FUNCTION_ERROR",
			"ran",
		],
		["is refused", serviceError("ResourceNotFoundException", { status: 404 }), "NOT_FOUND", "none"],
	])("rejects a tool call once: it %s", async (_, answer, code, execution) => {
		const { api, transport, errors } = await start(answer);
		const error = await rejection(transport.send(toolCall));
		expect(error).toMatchObject({ code, execution, attempts: 1, id: 1 });
		expect(errors).toStrictEqual([error]);
		expect(api.calls).toHaveLength(1);
	});

	test("is overcome by a list of which nothing was delivered", async () => {
		const list = { jsonrpc: "2.0", id: 2, result: { tools: [] } };
		const { api, transport, messages } = await start(
			stream([chunk('{"jsonrpc"')], "break"),
			stream([chunk(line(list)), complete()]),
		);
		await transport.send(toolsList);
		expect(messages).toStrictEqual([list]);
		expect(api.calls).toHaveLength(2);
	});

	test("is not overcome once something was delivered", async () => {
		const { api, transport, messages } = await start(stream([chunk(line(progress(1)))], "break"), result());
		expect(await rejection(transport.send(toolsList))).toMatchObject({ code: "STREAM_BROKEN" });
		expect(messages).toStrictEqual([progress(1)]);
		expect(api.calls).toHaveLength(1);
	});

	test("is overcome when it was throttled, a tool call too", async () => {
		const { api, transport } = await start(
			serviceError("TooManyRequestsException", { status: 429 }),
			stream([chunk(line(response)), complete()]),
		);
		await transport.send(toolCall);
		expect(api.executions()).toBe(1);
	});

	test("is left at the first message that is wrong", async () => {
		const { api, transport } = await start(stream([chunk("nonsense\n")], "hang"));
		expect(await rejection(transport.send(toolCall))).toMatchObject({ code: "INVALID_RESPONSE" });
		await api.calls[0]?.abandoned;
	});

	test("delivers nothing after it was cancelled", async () => {
		const cancel = new AbortController();
		const { api, transport, messages } = await start(
			stream([chunk(line(progress(1)) + line(progress(2)) + line(response))], "hang"),
		);
		const { onmessage } = transport;
		transport.onmessage = (message) => {
			onmessage?.(message);
			cancel.abort();
		};
		const error = await rejection(transport.send(toolCall, { requestSignal: cancel.signal }));
		expect(error).toMatchObject({ code: "ABORTED", execution: "unknown" });
		await api.calls[0]?.abandoned;
		expect(messages).toStrictEqual([progress(1)]);
	});

	test("is left when timeoutMs passes", async () => {
		const api = await startLambdaApi(stream([chunk(line(progress(1)))], "hang"));
		const { transport } = connect(api, { streaming: true, timeoutMs: 300 });
		expect(await rejection(transport.send(toolCall))).toMatchObject({ code: "TIMEOUT", execution: "unknown" });
		await api.calls[0]?.abandoned;
	});
});

describe("without streaming", () => {
	test("a function that streams has its messages delivered in order", async () => {
		const api = await startLambdaApi(payload(line(progress(1)) + line(progress(2)) + line(response)));
		const { transport, messages } = connect(api);
		await transport.send(toolCall);
		expect(messages).toStrictEqual([progress(1), progress(2), response]);
	});

	test("nothing is delivered after the transport was closed", async () => {
		const api = await startLambdaApi(payload(line(progress(1)) + line(progress(2)) + line(response)));
		const { transport, messages } = connect(api);
		const { onmessage } = transport;
		transport.onmessage = (message) => {
			onmessage?.(message);
			transport.close();
		};
		expect(await rejection(transport.send(toolCall))).toMatchObject({ code: "CLOSED" });
		await new Promise((resolve) => setTimeout(resolve, 20));
		expect(messages).toStrictEqual([progress(1)]);
	});

	test("a request of the server is reported, and the response delivered", async () => {
		const request = { jsonrpc: "2.0", id: 7, method: "sampling/createMessage" };
		const api = await startLambdaApi(payload(line(request) + line(response)));
		const { transport, messages, errors } = connect(api);
		await transport.send(toolCall);
		expect(messages).toStrictEqual([response]);
		expect(errors).toMatchObject([{ code: "INVALID_RESPONSE", message: expect.stringContaining("it sent a request") }]);
	});

	test.each([
		["a request of the server", '{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage"}'],
		["a notification", '{"jsonrpc":"2.0","method":"notifications/message"}'],
	])("%s alone answers nothing", async (_, text) => {
		const { transport } = connect(await startLambdaApi(payload(text)));
		expect(await rejection(transport.send(toolCall))).toMatchObject({ code: "INVALID_RESPONSE", execution: "ran" });
	});
});
