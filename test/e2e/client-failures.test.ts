import { describe, expect, test } from "vitest";
import type { LambdaFunctionParameters, LambdaTransportErrorCode } from "../../src/client/index.ts";
import type { LocalFunctionOptions } from "../../src/local/index.ts";
import { createGate, fixture, rejection, runtimes, startLambda, type TestLambda } from "../local/lambda.ts";
import { type AnyClient, connect, LambdaTransportError, type Sdk, sdks, transportTo } from "./clients.ts";

// What a function does wrong meets SDK 2 alike in its modes.
const combinations = runtimes.flatMap((runtime) => [sdks[0] as Sdk, sdks[2] as Sdk].map((sdk) => ({ runtime, sdk })));

type Failure = {
	readonly tool: string;
	readonly code: LambdaTransportErrorCode;
	readonly says: RegExp;
	readonly options?: Partial<LocalFunctionOptions>;
};

const failures: readonly Failure[] = [
	{
		tool: "hangs",
		code: "FUNCTION_TIMEOUT",
		says: /timeout of 4 s; raise the function's timeout/,
		options: { timeoutMs: 4000 },
	},
	{ tool: "exits", code: "FUNCTION_EXITED", says: /process ended while it worked/ },
	{ tool: "fillsHeap", code: "FUNCTION_EXITED", says: /process ended while it worked/ },
	{ tool: "rejects", code: "FUNCTION_ERROR", says: /TypeError: no such thing/ },
	{ tool: "returnsLarge", code: "RESPONSE_TOO_LARGE", says: /too large/ },
	{ tool: "returnsNothing", code: "INVALID_RESPONSE", says: /no JSON-RPC message; is it an MCP function/ },
];

/** A client of a function of `fails.mjs`. */
async function open(
	sdk: Sdk,
	runtime: Pick<LocalFunctionOptions, "runtime">,
	options: Partial<LocalFunctionOptions> = {},
	parameters: Partial<LambdaFunctionParameters> = {},
) {
	const lambda = await startLambda({
		fails: { handler: fixture("fails.mjs"), timeoutMs: 100_000, runtime: runtime.runtime, ...options },
	});
	return { lambda, client: await connect(sdk, transportTo(lambda, "fails", parameters)) };
}

function busy(lambda: TestLambda): number {
	return lambda.environments("fails").filter(({ state }) => state === "busy").length;
}

async function failureOf(call: Promise<unknown>): Promise<InstanceType<typeof LambdaTransportError>> {
	const error = await rejection(call);
	expect(error).toBeInstanceOf(LambdaTransportError);
	return error as unknown as InstanceType<typeof LambdaTransportError>;
}

async function echo(client: AnyClient, message: string): Promise<string> {
	return (await client.call("echo", { message })).content[0].text;
}

describe.each(combinations)(
	"the client of $sdk.name at a function in the runtime $runtime.name",
	({ runtime, sdk }) => {
		describe.skipIf(runtime.skip)("", () => {
			test.each(failures)("is told of $code when it $tool, and can go on", async ({ tool, code, says, options }) => {
				const { client } = await open(sdk, runtime, options);
				const failure = await failureOf(client.call(tool));
				expect(failure).toMatchObject({ code, execution: "ran", attempts: 1, functionName: "fails" });
				expect(failure.message).toMatch(/^Lambda function fails: /);
				expect(failure.message).toMatch(says);
				expect(failure.awsRequestId).toMatch(/^[0-9a-f-]{36}$/);
				expect(await echo(client, "again")).toBe("again");
			});

			test("is told at once when the function is throttled, while its other request goes on", async () => {
				const { gate, open: openGate } = await createGate();
				const retry = { maxAttempts: 1 };
				const { lambda, client } = await open(sdk, runtime, { reservedConcurrency: 1 }, { retry });
				const waiting = client.call("waits", { gate });
				await expect.poll(() => busy(lambda)).toBe(1);
				expect(await failureOf(client.call("echo", { message: "a" }))).toMatchObject({
					code: "THROTTLED",
					execution: "none",
					awsErrorName: "TooManyRequestsException",
				});
				await openGate();
				expect((await waiting).content[0].text).toBe("Waited");
			});

			test("waits until there is room when it may retry", async () => {
				const { client } = await open(
					sdk,
					runtime,
					{ reservedConcurrency: 1 },
					{ retry: { maxAttempts: 20, baseDelayMs: 50 } },
				);
				const calls = ["a", "b", "c"].map((message) => echo(client, message));
				expect(await Promise.all(calls)).toEqual(["a", "b", "c"]);
			});
		});
	},
);

describe.each(sdks)("the client of $name", (sdk) => {
	test("is told when there is no such function", async () => {
		const lambda = await startLambda({ fails: { handler: fixture("fails.mjs") } });
		const failure = await rejection(sdk.connect(transportTo(lambda, "absent")));
		// An SDK that negotiates the era puts an error of its own in front.
		const ours = failure instanceof LambdaTransportError ? failure : (failure.data as { cause: unknown }).cause;
		expect(ours).toMatchObject({ code: "NOT_FOUND", attempts: 1, awsErrorName: "ResourceNotFoundException" });
		expect(failure.message).toMatch(/Lambda function absent: not found; check the name/);
	});

	test("is told when nobody listens", async () => {
		const transport = transportTo({ endpoint: "http://127.0.0.1:9" }, "fails", { retry: { maxAttempts: 1 } });
		const failure = await rejection(sdk.connect(transport));
		expect(failure.message).toMatch(/Lambda could not be reached; check the region, the endpoint/);
	});

	test("gives up by its own timeout, and can go on", async () => {
		const { client } = await open(sdk, { runtime: "own" });
		await expect(client.call("sleep", { ms: 5000 }, { timeout: 300 })).rejects.toThrow(/timed out/i);
		expect(await echo(client, "again")).toBe("again");
	});

	test("ends the call of a request that it cancels, and of no other", async () => {
		const { client } = await open(sdk, { runtime: "own" });
		const controller = new AbortController();
		const other = client.call("sleep", { ms: 500 });
		const cancelled = client.call("sleep", { ms: 9000 }, { signal: controller.signal });
		controller.abort(new Error("not needed any more"));
		await expect(cancelled).rejects.toThrow("not needed any more");
		expect((await other).content[0].text).toBe("Slept 500 ms");
	});

	test("rejects what is pending when it is closed, and says that it is closed afterwards", async () => {
		const { lambda, client } = await open(sdk, { runtime: "own" });
		let closings = 0;
		client.onclose = () => {
			closings += 1;
		};
		const pending = [client.call("sleep", { ms: 9000 }), client.call("sleep", { ms: 9000 })].map(rejection);
		await expect.poll(() => busy(lambda)).toBe(2);
		await client.close();
		for (const failure of await Promise.all(pending)) expect(failure.message).toMatch(/closed/i);
		expect(closings).toBe(1);
		await expect(client.call("echo", { message: "a" })).rejects.toThrow(/not connected/i);
	});

	test("can connect again with another transport, and not with the same", async () => {
		const { lambda, client } = await open(sdk, { runtime: "own" });
		await client.close();
		const transport = transportTo(lambda, "fails");
		const first = await sdk.connect(transport);
		expect(await echo(first, "another")).toBe("another");
		await first.close();
		await expect(sdk.connect(transport)).rejects.toMatchObject({ code: "CLOSED" });
		expect(await echo(await connect(sdk, transportTo(lambda, "fails")), "anew")).toBe("anew");
	});
});
