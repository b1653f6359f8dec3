import { describe, expect, test } from "vitest";
import { LambdaFunctionClientTransport, LambdaTransportError } from "../../src/client/index.ts";

const list = { jsonrpc: "2.0", id: 1, method: "tools/list" } as const;

async function failureOf(client: object, streaming = false): Promise<LambdaTransportError> {
	const transport = new LambdaFunctionClientTransport({ functionName: "f", client: client as never, streaming });
	try {
		await transport.send(list);
	} catch (error) {
		if (error instanceof LambdaTransportError) return error;
		throw error;
	}
	throw new Error("It did not fail");
}

const throwing = (error: unknown) => ({
	send: () => {
		throw error;
	},
});
const rejecting = (error: unknown) => ({ send: () => Promise.reject(error) });

describe.each([false, true])("a client of the wrong kind (streaming: %s)", (streaming) => {
	test.each([
		["throws a TypeError", throwing(new TypeError("command.resolveMiddleware is not a function"))],
		["throws what the AWS SDK's middlewares say", throwing(new Error("retryMiddleware is not found when adding"))],
		["throws what is no error", throwing("nothing")],
		["rejects with a TypeError", rejecting(new TypeError("Cannot read properties of undefined (reading 'x')"))],
	])("that %s is a mistake of set-up, and is called once", async (_, client) => {
		const error = await failureOf(client, streaming);
		expect(error).toMatchObject({ code: "CLIENT_MISCONFIGURED", execution: "none", attempts: 1 });
		expect(error.message).toContain("Lambda function f: ");
	});

	test("whose fetch failed may have been sent", async () => {
		const error = new TypeError("fetch failed", { cause: new Error("socket hang up") });
		const transport = new LambdaFunctionClientTransport({
			functionName: "f",
			client: rejecting(error) as never,
			streaming,
			retry: { maxAttempts: 1 } as never,
		});
		await expect(transport.send({ ...list, method: "tools/call", params: { name: "x" } })).rejects.toMatchObject({
			code: "NETWORK",
			execution: "unknown",
		});
	});
});

test("a client that cannot stream is told of", async () => {
	const error = await failureOf({ send: async () => ({ $metadata: {} }) }, true);
	expect(error).toMatchObject({ code: "CLIENT_MISCONFIGURED", attempts: 1 });
	expect(error.message).toContain("its client gave no stream");
});

/** What AWS's interface emulator and old runtimes answer. */
const results: readonly (readonly [string, string, string])[] = [
	["a timeout as text", "Task timed out after 3.00 seconds", "FUNCTION_TIMEOUT"],
	["a timeout with its time", "2026-11-25T08:00:00.000Z 5b1c-id Task timed out after 3.00 seconds", "FUNCTION_TIMEOUT"],
	[
		"a timeout as an error",
		'{"errorMessage":"2026-11-25T08:00:00Z id Task timed out after 3.00 seconds"}',
		"FUNCTION_TIMEOUT",
	],
	[
		"a timeout of the sandbox",
		'{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: x Error: Task timed out after 3.00 seconds"}',
		"FUNCTION_TIMEOUT",
	],
	[
		"an exit",
		'{"errorType":"Runtime.ExitError","errorMessage":"RequestId: x Error: Runtime exited with error: exit status 1"}',
		"FUNCTION_EXITED",
	],
	[
		"an error of the handler",
		'{"errorType":"TypeError","errorMessage":"x is not a function","trace":["TypeError: x"]}',
		"FUNCTION_ERROR",
	],
	["an error with a stack of old", '{"errorMessage":"no","errorType":"Error","stackTrace":["a"]}', "FUNCTION_ERROR"],
	["another object", '{"errorMessage":"no","errorType":"Error","jsonrpc":"2.0"}', "INVALID_RESPONSE"],
	["another text", "It says: Task timed out after 3.00 seconds, sometimes", "INVALID_RESPONSE"],
];

test.each(results)("a result without the mark of a function's error: %s", async (_, payload, code) => {
	const client = { send: async () => ({ $metadata: {}, Payload: Buffer.from(payload) }) };
	expect((await failureOf(client)).code).toBe(code);
});

test("an exit that is answered with HTTP 502 and the function's error is FUNCTION_EXITED", async () => {
	const error = Object.assign(new Error("UnknownError"), {
		name: "Unknown",
		errorType: "Runtime.ExitError",
		errorMessage: "RequestId: x Error: Runtime exited with error: exit status 7",
		$metadata: { httpStatusCode: 502, requestId: "r" },
	});
	expect(await failureOf(rejecting(error))).toMatchObject({
		code: "FUNCTION_EXITED",
		execution: "ran",
		awsRequestId: "r",
		httpStatusCode: 502,
	});
});

describe("what an error says is read in part only", () => {
	test.each([
		["blanks", `x${" ".repeat(2_000_000)}y`],
		["hints of the SDK", " Deserialization error: to see the raw response".repeat(50_000)],
		["a long id", `RequestId: ${"x".repeat(2_000_000)} Error: y`],
		["digits", `Task timed out after ${"1".repeat(2_000_000)}`],
	])("%s", async (_, message) => {
		const failed = await failureOf(
			rejecting(Object.assign(new Error(message), { $metadata: { httpStatusCode: 400 } })),
		);
		expect(failed.message.length).toBeLessThan(1000);
		const client = {
			send: async () => ({
				$metadata: {},
				FunctionError: "Unhandled",
				Payload: Buffer.from(JSON.stringify({ errorMessage: message })),
			}),
		};
		expect((await failureOf(client)).message.length).toBeLessThan(1000);
	});
});

test.each([
	["nested deeply", "[".repeat(20_000) + "]".repeat(20_000)],
	["five megabytes", JSON.stringify("x".repeat(5_000_000))],
])("an answer with an id that is %s is INVALID_RESPONSE, in a short message", async (_, id) => {
	const client = {
		send: async () => ({ $metadata: {}, Payload: Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":{}}`) }),
	};
	const error = await failureOf(client);
	expect(error.code).toBe("INVALID_RESPONSE");
	expect(error.message.length).toBeLessThan(1000);
});

test("an ARN of another region than regionName is refused", () => {
	const functionName = "arn:aws:lambda:eu-north-1:123456789012:function:everything";
	expect(() => new LambdaFunctionClientTransport({ functionName, regionName: "eu-west-1" })).toThrow(
		"parameters.functionName is an ARN of eu-north-1, and parameters.regionName says eu-west-1; leave regionName out",
	);
});

test("an endpoint without a scheme is refused with the one that was meant", () => {
	expect(() => new LambdaFunctionClientTransport({ functionName: "f", endpoint: "localhost:3001" })).toThrow(
		'parameters.endpoint must begin with http:// or https://; write "http://localhost:3001"',
	);
});

test("more is said of a failure with the stack of the first", () => {
	const first = new LambdaTransportError("TIMEOUT", "it is slow");
	const { stack = "" } = first.with({ functionName: "f" });
	expect(stack.split("\n")[0]).toBe("LambdaTransportError: Lambda function f: it is slow");
	expect(stack.split("\n")[1]).toBe(first.stack?.split("\n")[1]);
	expect(stack).not.toContain("new Same");
});
