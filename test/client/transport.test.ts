import { getEventListeners } from "node:events";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { describe, expect, test, vi } from "vitest";
import type { LambdaFunctionParameters, TransportMessage } from "../../src/client/index.ts";
import {
	type Answer,
	awsRequestId,
	clientOf,
	connect,
	functionError,
	hang,
	payload,
	rejection,
	result,
	serviceError,
	startLambdaApi,
	toolCall,
	toolsList,
} from "./lambda-api.ts";

const fact = ` (AWS request id ${awsRequestId})`;
const initialized: TransportMessage = { jsonrpc: "2.0", method: "notifications/initialized" };

/** Answers `initialize`, and the rest as it is told. */
function afterInitialize(answer: Answer): Answer {
	const serverInfo = { name: "server", version: "1" };
	const initialize = result({ protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo });
	return {
		executes: true,
		give: (response, call) => {
			const isConnecting = call.message.method === "initialize" || call.message.id === undefined;
			return (isConnecting ? initialize : answer).give(response, call);
		},
	};
}

describe("a failure says in plain words", () => {
	test.each<[string, Answer, string]>([
		[
			"that the credentials may not",
			serviceError("AccessDeniedException", { status: 403, message: "not authorized" }),
			`access denied; the credentials need lambda:InvokeFunction on this function (AccessDeniedException: not authorized)`,
		],
		[
			"that there is no such function",
			serviceError("ResourceNotFoundException", { status: 404, message: "Function not found: x" }),
			"not found; check the name, the qualifier, the region and the account (ResourceNotFoundException: Function not found: x)",
		],
		[
			"how long the function ran",
			functionError(
				'{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 8 Error: Task timed out after 3.00 seconds"}',
			),
			"it ran longer than its timeout of 3 s; raise the function's timeout, or let it answer before its deadline",
		],
		[
			"that the process ended",
			functionError(
				'{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 8 Error: Runtime exited with error: exit status 7"}',
			),
			"its process ended while it worked (Runtime exited with error: exit status 7); the function's log has the cause",
		],
		[
			"that the memory was not enough",
			functionError('{"errorType":"Runtime.OutOfMemory","errorMessage":"RequestId: 8 Error: signal: killed"}'),
			"it was killed, most likely for using more memory than it has; raise the function's memory",
		],
		[
			"what the handler threw",
			functionError('{"errorType":"TypeError","errorMessage":"x is not a function","trace":["secret"]}'),
			"it failed with TypeError: x is not a function; its log has more",
		],
		["that the result has no response", payload(""), "its result has no response"],
		[
			"that the function is no MCP function",
			payload('{"hello":1}'),
			'its result is no JSON-RPC message; is it an MCP function?: {"hello":1}',
		],
		[
			"that the function is for HTTP",
			payload('{"statusCode":200}'),
			'its result is no JSON-RPC message; it answers HTTP events, not direct invocations: {"statusCode":200}',
		],
		[
			"that the function streams where Middy does not",
			payload(JSON.stringify('{"jsonrpc":"2.0","id":1,"result":{}}\n')),
			String.raw`its result is no JSON-RPC message; it is JSON in a text: streamifyResponse is set, and Middy does not stream: "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n"`,
		],
		[
			"which request was answered instead",
			payload('{"jsonrpc":"2.0","id":"1","result":{}}'),
			'it answered request "1", not 1: {"jsonrpc":"2.0","id":"1","result":{}}',
		],
	])("%s", async (_, answer, words) => {
		const { transport } = connect(await startLambdaApi(answer));
		const error = await rejection(transport.send(toolCall));
		expect(error.message).toBe(`Lambda function everything: ${words}${fact}`);
		expect(error).toMatchObject({ name: "LambdaTransportError", functionName: "everything", awsRequestId });
	});

	test("and shows only the beginning of a long result", async () => {
		const { transport } = connect(await startLambdaApi(payload("x".repeat(100_000))));
		expect((await rejection(transport.send(toolCall))).message.length).toBeLessThan(500);
	});

	test("and has the error of the AWS SDK as its cause", async () => {
		const { transport } = connect(await startLambdaApi(serviceError("AccessDeniedException", { status: 403 })));
		const { cause } = await rejection(transport.send(toolCall));
		expect(cause).toMatchObject({ name: "AccessDeniedException", $metadata: { httpStatusCode: 403 } });
	});
});

describe("the client of SDK 1", () => {
	const open = async (answer: Answer, parameters: Partial<LambdaFunctionParameters> = {}) => {
		const api = await startLambdaApi(afterInitialize(answer));
		const { transport } = connect(api, parameters);
		const client = new Client({ name: "test", version: "1" });
		client.onerror = vi.fn();
		client.onclose = vi.fn();
		await client.connect(transport);
		return { api, client, transport };
	};

	test("has its requests rejected at once, each with its own failure", async () => {
		const answers: Record<string, Answer> = {
			a: functionError('{"errorType":"Runtime.ExitError"}'),
			b: result({ content: [] }),
			c: serviceError("AccessDeniedException", { status: 403 }),
		};
		const { client } = await open({
			executes: true,
			give: (response, call) => answers[call.message.params.name]?.give(response, call),
		});
		const settled = await Promise.allSettled(["a", "b", "c"].map((name) => client.callTool({ name })));
		expect(settled).toMatchObject([
			{ reason: { code: "FUNCTION_EXITED", method: "tools/call" } },
			{ value: { content: [] } },
			{ reason: { code: "ACCESS_DENIED", method: "tools/call" } },
		]);
		expect(client.onerror).toHaveBeenCalledTimes(2);
	});

	test("gets an error of the server as it is", async () => {
		const error = { code: -32602, message: "no such tool", data: { name: "x" } };
		const { client } = await open(payload(JSON.stringify({ jsonrpc: "2.0", id: null, error })));
		expect(await rejection(client.callTool({ name: "x" }))).toMatchObject({ code: -32602, data: { name: "x" } });
		expect(client.onerror).not.toHaveBeenCalled();
	});

	test.each([
		[5],
		[[]],
		[{ progressToken: null }],
		[{ progressToken: 1.5 }],
		[{ "io.modelcontextprotocol/related-task": null }],
		[{ "io.modelcontextprotocol/related-task": { taskId: 5 } }],
	])("does not wait for the response that it takes for none, with _meta %j", async (_meta) => {
		const { client } = await open(result({ content: [], _meta }));
		expect(await rejection(client.callTool({ name: "x" }))).toMatchObject({
			code: "INVALID_RESPONSE",
			execution: "ran",
		});
	});

	test.each([[{}], [{ progressToken: "", any: null }], [{ "io.modelcontextprotocol/related-task": { taskId: "5" } }]])(
		"takes a response with _meta %j",
		async (_meta) => {
			const { client } = await open(result({ content: [], _meta }));
			expect(await client.callTool({ name: "x" })).toStrictEqual({ content: [], _meta });
		},
	);

	test("ends the call of a request that it cancels", async () => {
		const { api, client } = await open(hang);
		const cancel = new AbortController();
		const rejected = rejection(client.callTool({ name: "a" }, undefined, { signal: cancel.signal }));
		await api.called(3);
		cancel.abort("enough");
		await rejected;
		await api.calls[2]?.abandoned;
		expect(api.calls.map(({ message }) => message.method)).not.toContain("notifications/cancelled");
		expect(client.onerror).not.toHaveBeenCalled();
	});

	test("ends all calls when it is closed", async () => {
		const { api, client } = await open(hang);
		const rejected = [client.callTool({ name: "a" }), client.listTools()].map(rejection);
		await api.called(4);
		await client.close();
		expect((await Promise.all(rejected)).map(({ code }) => code)).toStrictEqual([-32000, -32000]);
		await Promise.all(api.calls.slice(2).map(({ abandoned }) => abandoned));
		expect(client.onclose).toHaveBeenCalledTimes(1);
		expect(client.onerror).not.toHaveBeenCalled();
	});

	test("fails to connect with what is wrong", async () => {
		const { transport } = connect(await startLambdaApi(serviceError("ResourceNotFoundException", { status: 404 })));
		const connecting = new Client({ name: "test", version: "1" }).connect(transport);
		expect(await rejection(connecting)).toMatchObject({ code: "NOT_FOUND", method: "initialize" });
	});
});

describe("a closed transport", () => {
	test("has rejected what was pending, and told of it once", async () => {
		const api = await startLambdaApi(hang);
		const { transport, errors, closes } = connect(api);
		const rejected = [toolCall, toolsList].map((message) => rejection(transport.send(message)));
		await api.called(2);
		await Promise.all([transport.close(), transport.close()]);
		await transport.close();
		expect(await Promise.all(rejected)).toMatchObject([
			{ code: "CLOSED", execution: "unknown", id: 1, method: "tools/call", attempts: 1 },
			{ code: "CLOSED", execution: "unknown", id: 2, method: "tools/list", attempts: 1 },
		]);
		expect([closes(), errors]).toStrictEqual([1, []]);
	});

	test("refuses to start and to send", async () => {
		const { transport } = connect({ endpoint: "http://127.0.0.1:1" });
		await transport.close();
		for (const refused of [transport.send(toolCall), transport.start(), transport.send(initialized)]) {
			const error = await rejection(refused);
			expect(error).toMatchObject({ code: "CLOSED", execution: "none" });
			expect(error.message).toBe("Lambda function everything: the transport is closed; connect with a new one");
		}
	});

	test("was closed by its signal", async () => {
		const api = await startLambdaApi(hang);
		const ending = new AbortController();
		const { transport, closes } = connect(api, { signal: ending.signal });
		const rejected = rejection(transport.send(toolCall));
		await api.called(1);
		ending.abort(new Error("shutting down"));
		expect(await rejected).toMatchObject({ code: "ABORTED", cause: new Error("shutting down"), id: 1 });
		expect(closes()).toBe(1);
		await api.calls[0]?.abandoned;
		const refused = await rejection(transport.start());
		expect(refused).toMatchObject({ code: "CLOSED", cause: { code: "ABORTED" } });
		expect(getEventListeners(ending.signal, "abort")).toStrictEqual([]);
	});

	test("may have been made with a signal that had fired", async () => {
		const { transport } = connect({ endpoint: "http://127.0.0.1:1" }, { signal: AbortSignal.abort() });
		expect(await rejection(transport.start())).toMatchObject({ code: "CLOSED" });
	});

	test("leaves a client open that is not its own", async () => {
		const api = await startLambdaApi(result());
		const client = clientOf(api);
		const destroy = vi.spyOn(client, "destroy");
		const { transport } = connect(api, { client });
		await transport.close();
		expect(destroy).not.toHaveBeenCalled();
		await connect(api, { client }).transport.send(toolCall);
		expect(api.executions()).toBe(1);
	});
});

describe("a request that is cancelled", () => {
	test("by notifications/cancelled ends its own call only", async () => {
		const api = await startLambdaApi(hang);
		const { transport, errors } = connect(api);
		const first = rejection(transport.send(toolCall));
		const second = rejection(transport.send(toolsList));
		await api.called(2);
		const params = { requestId: 1, reason: "enough" };
		await transport.send({ jsonrpc: "2.0", method: "notifications/cancelled", params });
		expect(await first).toMatchObject({ code: "ABORTED", cause: "enough", execution: "unknown", id: 1 });
		await api.calls.find(({ message }) => message.id === 1)?.abandoned;
		await transport.close();
		expect(await second).toMatchObject({ code: "CLOSED", id: 2 });
		expect(api.calls).toHaveLength(2);
		expect(errors).toStrictEqual([]);
	});

	test.each([{}, { requestId: "1" }, { requestId: 99 }, undefined])("by nobody with params %j", async (params) => {
		const api = await startLambdaApi(result());
		const { transport, messages } = connect(api);
		const sent = transport.send(toolCall);
		await transport.send({ jsonrpc: "2.0", method: "notifications/cancelled", ...(params && { params }) });
		await sent;
		expect(messages).toHaveLength(1);
	});

	test("by its signal ends its call, and its stream does not end by itself", async () => {
		const api = await startLambdaApi(hang);
		const { transport } = connect(api);
		const cancel = new AbortController();
		const onRequestStreamEnd = vi.fn();
		const rejected = rejection(transport.send(toolCall, { requestSignal: cancel.signal, onRequestStreamEnd }));
		await api.called(1);
		cancel.abort();
		expect(await rejected).toMatchObject({ code: "ABORTED", execution: "unknown", cause: { name: "AbortError" } });
		await api.calls[0]?.abandoned;
		expect(onRequestStreamEnd).not.toHaveBeenCalled();
	});

	test("before it is sent is not sent", async () => {
		const api = await startLambdaApi(result());
		const { transport, messages } = connect(api);
		const rejected = await rejection(transport.send(toolCall, { requestSignal: AbortSignal.abort() }));
		expect(rejected).toMatchObject({ code: "ABORTED", execution: "none", attempts: 0 });
		await transport.send(toolsList);
		expect(api.calls).toHaveLength(1);
		expect(messages).toHaveLength(1);
	});

	test("leaves no listener, and neither do those that are answered", async () => {
		const api = await startLambdaApi(result());
		const ending = new AbortController();
		const cancel = new AbortController();
		const { transport, messages } = connect(api, { signal: ending.signal });
		const warn = vi.spyOn(process, "emitWarning");
		for (let round = 0; round < 20; round += 1) {
			const sent = Array.from({ length: 50 }, (_, id) =>
				transport.send({ ...toolsList, id: round * 50 + id }, { requestSignal: cancel.signal }),
			);
			await Promise.all(sent);
		}
		expect(messages).toHaveLength(1000);
		expect(getEventListeners(cancel.signal, "abort")).toStrictEqual([]);
		expect(getEventListeners(ending.signal, "abort")).toHaveLength(1);
		expect(warn).not.toHaveBeenCalled();
		warn.mockRestore();
	});
});

describe("a request over the limit", () => {
	const limit = 6_291_456;
	const request = (bytes: number): TransportMessage => {
		const message = (text: string) => ({ ...toolCall, params: { name: "pay", arguments: { text } } });
		const room = bytes - Buffer.byteLength(JSON.stringify(message("")));
		return message("é".repeat(room / 2) + "x".repeat(room % 2));
	};

	test("is sent with exactly as many bytes as Lambda takes", async () => {
		const api = await startLambdaApi(result());
		const message = request(limit);
		expect(Buffer.byteLength(JSON.stringify(message))).toBe(limit);
		await connect(api).transport.send(message);
		expect(api.executions()).toBe(1);
	});

	test("is not sent with one byte more", async () => {
		const api = await startLambdaApi(result());
		const { transport, errors } = connect(api);
		const error = await rejection(transport.send(request(limit + 1)));
		expect(error).toMatchObject({ code: "REQUEST_TOO_LARGE", execution: "none", attempts: 0, id: 1 });
		expect(error.message).toBe(
			"Lambda function everything: the request has 6291457 bytes, and Lambda takes 6291456; send less, or put the data where the server can fetch it",
		);
		expect(errors).toStrictEqual([error]);
		expect(api.calls).toHaveLength(0);
	});
});

describe("a message", () => {
	test.each<[string, unknown, string]>([
		["a response", { jsonrpc: "2.0", id: 1, result: {} }, "only requests and notifications can be sent"],
		["no JSON-RPC", { id: 1, method: "ping" }, 'jsonrpc must be "2.0"'],
		["a batch", [toolCall], "send one message at a time"],
		["nothing", null, "null, not an object"],
	])("that is %s is refused", async (_, message, problem) => {
		const { transport } = connect({ endpoint: "http://127.0.0.1:1" });
		const error = await rejection(transport.send(message as TransportMessage));
		expect(error).toMatchObject({ code: "INVALID_MESSAGE", execution: "none" });
		expect(error.message).toContain(problem);
	});

	test("that cannot be written as JSON is refused", async () => {
		const { transport } = connect({ endpoint: "http://127.0.0.1:1" });
		const error = await rejection(transport.send({ ...toolCall, params: { value: 1n } }));
		expect(error).toMatchObject({ code: "INVALID_MESSAGE", cause: expect.any(TypeError), id: 1 });
	});

	test("arrives as it is, whatever its id", async () => {
		const api = await startLambdaApi(result());
		const { transport, messages } = connect(api);
		for (const id of [0, "", "ž"]) {
			const message = { ...toolCall, id, extension: { kept: true } };
			await transport.send(message);
			expect(api.calls.at(-1)?.message).toStrictEqual(message);
		}
		expect(messages.map(({ id }) => id)).toStrictEqual([0, "", "ž"]);
	});

	test("without an id is a notification, also where the id is said to be undefined", async () => {
		const api = await startLambdaApi(result());
		const { transport, messages } = connect(api);
		await transport.send({ ...initialized, id: undefined });
		expect(api.calls[0]?.message).toStrictEqual(initialized);
		expect(messages).toStrictEqual([]);
	});

	test("that is a notification can be kept from the function", async () => {
		const api = await startLambdaApi(result());
		const { transport } = connect(api, { sendNotifications: false });
		await transport.send(initialized);
		await transport.send(toolCall);
		expect(api.calls.map(({ message }) => message.method)).toStrictEqual(["tools/call"]);
	});

	test("that is a notification and fails rejects", async () => {
		const { transport, errors } = connect(await startLambdaApi(functionError('{"errorType":"Runtime.ExitError"}')));
		const error = await rejection(transport.send(initialized));
		expect(error).toMatchObject({ code: "FUNCTION_EXITED", method: "notifications/initialized", id: undefined });
		expect(errors).toStrictEqual([error]);
	});

	test("ends its stream when it is answered, and not when it fails", async () => {
		const api = await startLambdaApi(result(), serviceError("ResourceNotFoundException", { status: 404 }));
		const { transport } = connect(api);
		const onRequestStreamEnd = vi.fn();
		await transport.send(toolCall, { onRequestStreamEnd });
		expect(onRequestStreamEnd).toHaveBeenCalledOnce();
		await rejection(transport.send(toolCall, { onRequestStreamEnd }));
		expect(onRequestStreamEnd).toHaveBeenCalledOnce();
	});

	test("waits for no other, however many there are", async () => {
		const api = await startLambdaApi({
			executes: true,
			give: (response, call) => (call.message.id === 100 ? result().give(response, call) : undefined),
		});
		const { transport, messages } = connect(api);
		const waiting = Array.from({ length: 100 }, (_, id) => rejection(transport.send({ ...toolCall, id })));
		await api.called(100);
		await transport.send({ ...toolCall, id: 100 });
		expect(messages).toHaveLength(1);
		await transport.close();
		await Promise.all(waiting);
	});
});

describe("a callback that throws", () => {
	const fails = () => {
		throw new Error("mine");
	};

	test("is reported when it takes a message, and fails no request", async () => {
		const { transport, errors } = connect(await startLambdaApi(result()));
		transport.onmessage = fails;
		await transport.send(toolCall);
		expect(errors).toStrictEqual([new Error("mine")]);
	});

	test("changes no failure when it is told of it", async () => {
		const { transport } = connect(await startLambdaApi(payload("null")));
		transport.onerror = fails;
		expect(await rejection(transport.send(toolCall))).toMatchObject({ code: "INVALID_RESPONSE" });
	});

	test("does not keep the transport from closing by its signal", async () => {
		const ending = new AbortController();
		const { transport, errors } = connect({ endpoint: "http://127.0.0.1:1" }, { signal: ending.signal });
		transport.onclose = fails;
		ending.abort();
		expect(errors).toStrictEqual([new Error("mine")]);
		await transport.close();
	});

	test("and closes the transport while it takes the response, gets it", async () => {
		const { transport, messages, errors } = connect(await startLambdaApi(result()));
		const { onmessage } = transport;
		transport.onmessage = (message) => {
			onmessage?.(message);
			transport.close();
		};
		await transport.send(toolCall);
		expect([messages.length, errors]).toStrictEqual([1, []]);
	});
});
