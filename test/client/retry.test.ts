import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { createRetryBudget, type LambdaTransportError, type RetryEvent } from "../../src/client/index.ts";
import { delayBefore, resolveRetryOptions } from "../../src/client/retry.ts";
import {
	awsRequestId,
	connect,
	functionError,
	rejection,
	result,
	serviceError,
	startLambdaApi,
	toolCall,
	toolsList,
} from "./lambda-api.ts";

const throttled = serviceError("TooManyRequestsException", {
	status: 429,
	reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
});

describe("the delay before an attempt", () => {
	const delayMs = fc.oneof(fc.nat(60_000), fc.constantFrom(0, Number.POSITIVE_INFINITY));
	const settings = fc.record({ baseDelayMs: delayMs, maxDelayMs: delayMs });
	const longestMs = 2 ** 31 - 1;

	test("is between what Lambda asks for and a ceiling that doubles up to a limit", () => {
		fc.assert(
			fc.property(settings, fc.integer({ min: 1, max: 2000 }), fc.nat(30_000), (options, attempts, retryAfterMs) => {
				const doubled = options.baseDelayMs === 0 ? 0 : options.baseDelayMs * 2 ** (attempts - 1);
				const delayMs = delayBefore(attempts, { retryAfterMs }, options);
				expect(delayMs).toBeGreaterThanOrEqual(retryAfterMs);
				expect(delayMs).toBeLessThanOrEqual(retryAfterMs + Math.min(options.maxDelayMs, doubled));
				expect(delayMs).toBeLessThanOrEqual(longestMs);
			}),
			{ numRuns: 1000, examples: [[{ baseDelayMs: 0, maxDelayMs: 0 }, 1025, 0]] },
		);
	});

	test.each([
		[1, 200],
		[2, 400],
		[3, 800],
		[6, 6400],
		[7, 10_000],
		[1100, 10_000],
	])("after %d attempts is drawn from all of 0 to %d ms", (attempts, ceiling) => {
		const options = resolveRetryOptions({});
		const random = vi.spyOn(Math, "random");
		try {
			for (const drawn of [0, 0.25, 0.5]) {
				random.mockReturnValueOnce(drawn);
				expect(delayBefore(attempts, { retryAfterMs: undefined }, options)).toBe(drawn * ceiling);
			}
		} finally {
			random.mockRestore();
		}
	});
});

describe("a throttled message", () => {
	test("waits for as long as Lambda asks", async () => {
		const patient = serviceError("TooManyRequestsException", { status: 429, retryAfter: "1" });
		const api = await startLambdaApi(patient, result());
		const retries: RetryEvent[] = [];
		const { transport } = connect(api, { retry: { onRetry: (event) => retries.push(event) } });
		await transport.send(toolCall);
		expect(retries).toMatchObject([{ delayMs: 1000, error: { retryAfterMs: 1000 } }]);
	});

	test("is given up at once when Lambda asks for more time than there is", async () => {
		const api = await startLambdaApi(serviceError("TooManyRequestsException", { status: 429, retryAfter: "31" }));
		const error = await rejection(connect(api).transport.send(toolCall));
		expect(error).toMatchObject({ code: "THROTTLED", attempts: 1, retryAfterMs: 31_000 });
	});

	test.each(["soon", "-1", "0", "Wed, 21 Oct 2026 07:28:00 GMT"])(
		"makes nothing of Retry-After: %s",
		async (retryAfter) => {
			const api = await startLambdaApi(serviceError("TooManyRequestsException", { status: 429, retryAfter }));
			const error = await rejection(connect(api, { retry: { maxAttempts: 1 } }).transport.send(toolCall));
			expect(error.retryAfterMs).toBeUndefined();
		},
	);

	test("is sent maxAttempts times, five when nothing is said", async () => {
		const api = await startLambdaApi(throttled);
		const error = await rejection(connect(api).transport.send(toolCall));
		expect(error).toMatchObject({ attempts: 5, awsErrorName: "TooManyRequestsException", httpStatusCode: 429 });
		expect(error.message).toMatch(
			/^Lambda function everything: throttled; .+ReservedFunctionConcurrentInvocationLimitExceeded\) \(5 attempts in \d+ ms; AWS request id 8c2ba3b1-/,
		);
		expect(api.calls).toHaveLength(5);
	});

	test("is sent once when maxAttempts is 1", async () => {
		const api = await startLambdaApi(throttled);
		const retry = { maxAttempts: 1, onRetry: vi.fn() };
		const error = await rejection(connect(api, { retry }).transport.send(toolCall));
		expect(error.attempts).toBe(1);
		expect(error.message).not.toContain("attempts");
		expect(api.calls).toHaveLength(1);
		expect(retry.onRetry).not.toHaveBeenCalled();
	});

	test("is not sent again when maxElapsedMs would pass", async () => {
		const api = await startLambdaApi(throttled);
		const error = await rejection(connect(api, { retry: { maxElapsedMs: 0 } }).transport.send(toolCall));
		expect(error.attempts).toBe(1);
	});

	test("waits no longer than until it is cancelled", async () => {
		const api = await startLambdaApi(serviceError("TooManyRequestsException", { status: 429, retryAfter: "25" }));
		const cancel = new AbortController();
		const retry = { onRetry: () => setImmediate(() => cancel.abort(new Error("enough"))) };
		const { transport, errors } = connect(api, { retry });
		const error = await rejection(transport.send(toolCall, { requestSignal: cancel.signal }));
		expect(error).toMatchObject({ code: "ABORTED", execution: "none", attempts: 1, cause: new Error("enough") });
		expect(api.calls).toHaveLength(1);
		expect(errors).toStrictEqual([]);
	});

	test("waits no longer than until the transport is closed", async () => {
		const api = await startLambdaApi(serviceError("TooManyRequestsException", { status: 429, retryAfter: "25" }));
		const retry = { onRetry: () => setImmediate(() => connected.transport.close()) };
		const connected = connect(api, { retry });
		expect(await rejection(connected.transport.send(toolCall))).toMatchObject({ code: "CLOSED", attempts: 1 });
	});
});

describe("what is told", () => {
	test("of a retry is who, when and why", async () => {
		const api = await startLambdaApi(throttled, throttled, result());
		const told: [string, unknown][] = [];
		const observer = Object.fromEntries(
			["send", "retry", "answer", "failure"].map((kind) => [kind, (event: unknown) => told.push([kind, event])]),
		);
		const onRetry = (event: unknown) => void told.push(["onRetry", event]);
		const { transport } = connect(api, { qualifier: "live", observer, retry: { onRetry } });
		await transport.send(toolCall);
		const sent = { functionName: "everything:live", method: "tools/call", id: 1 };
		const retry = (attempts: number) => ({
			...sent,
			attempts,
			delayMs: 0,
			error: expect.objectContaining({ code: "THROTTLED", ...sent, attempts }),
		});
		expect(told).toStrictEqual([
			["send", { ...sent, bytes: Buffer.byteLength(JSON.stringify(toolCall)) }],
			["onRetry", retry(1)],
			["retry", retry(1)],
			["onRetry", retry(2)],
			["retry", retry(2)],
			["answer", { ...sent, outcome: "result", attempts: 3, elapsedMs: expect.any(Number), awsRequestId }],
		]);
	});

	test("of a failure is the error that rejects", async () => {
		const api = await startLambdaApi(functionError('{"errorType":"Runtime.ExitError"}'));
		const failures: { error: LambdaTransportError }[] = [];
		const { transport } = connect(api, { observer: { failure: (event) => failures.push(event) } });
		const error = await rejection(transport.send(toolCall));
		expect(failures).toStrictEqual([{ functionName: "everything", method: "tools/call", id: 1, error }]);
		expect(failures[0]?.error).toBe(error);
	});

	test("may fail those who are told, and nothing else", async () => {
		const api = await startLambdaApi(throttled, result());
		const fails = () => {
			throw new Error("no");
		};
		const observer = { send: fails, retry: fails, answer: fails, failure: fails };
		const { transport, messages } = connect(api, { observer, retry: { onRetry: fails } });
		await transport.send(toolCall);
		expect(messages).toHaveLength(1);
	});
});

describe("a retry budget", () => {
	test("bounds the retries of all requests together", async () => {
		const api = await startLambdaApi(throttled);
		const { transport } = connect(api, { retry: { budget: createRetryBudget(20) } });
		const sent = Array.from({ length: 200 }, (_, id) => rejection(transport.send({ ...toolCall, id })));
		const errors = await Promise.all(sent);
		expect(errors.every(({ code }) => code === "THROTTLED")).toBe(true);
		expect(api.calls).toHaveLength(220);
	});

	test("of a transport has 100 retries", async () => {
		const api = await startLambdaApi(throttled);
		const { transport } = connect(api);
		await Promise.all(Array.from({ length: 100 }, (_, id) => rejection(transport.send({ ...toolCall, id }))));
		expect(api.calls).toHaveLength(200);
	});

	test("is shared by transports", async () => {
		const api = await startLambdaApi(throttled);
		const retry = { budget: createRetryBudget(3) };
		await rejection(connect(api, { retry }).transport.send(toolCall));
		await rejection(connect(api, { retry }).transport.send(toolCall));
		expect(api.calls).toHaveLength(5);
	});

	test("gets back what a retry cost when it succeeds", async () => {
		const api = await startLambdaApi(throttled, result(), throttled, result());
		const { transport } = connect(api, { retry: { budget: createRetryBudget(1) } });
		await transport.send(toolCall);
		await transport.send(toolCall);
		expect(api.calls).toHaveLength(4);
	});

	test("gets a fifth of a retry back for a request that succeeds at once, up to its size", () => {
		const budget = createRetryBudget(1);
		expect([budget.take(), budget.take()]).toStrictEqual([true, false]);
		for (let times = 0; times < 4; times += 1) budget.succeed(false);
		expect(budget.take()).toBe(false);
		for (let times = 0; times < 20; times += 1) budget.succeed(false);
		expect([budget.take(), budget.take()]).toStrictEqual([true, false]);
	});

	test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "5"])("of %s retries is refused", (retries) => {
		expect(() => createRetryBudget(retries as number)).toThrow(/^retries must be an integer of 1 or more, not /);
	});
});

describe("a retry option that is wrong", () => {
	test.each<[string, unknown, string]>([
		["maxAttempts", 0, "must be an integer of 1 or more, not 0"],
		["baseDelayMs", -1, "must be a number of milliseconds, 0 or more, not -1"],
		["maxDelayMs", "1s", 'must be a number of milliseconds, 0 or more, not "1s"'],
		["maxElapsedMs", Number.NaN, "must be a number of milliseconds, 0 or more, not NaN"],
		["retryFunctionErrors", 1, "must be a boolean, not 1"],
		["isSafe", true, "must be a function, not true"],
		["onRetry", {}, "must be a function, not an object"],
		["budget", { take: () => true }, "must be what createRetryBudget() makes, not an object"],
		["retries", 3, "is not an option; the options are maxAttempts, "],
	])("%s %o is refused", (name, value, problem) => {
		const resolve = () => connect({ endpoint: "http://127.0.0.1" }, { retry: { [name]: value } });
		expect(resolve).toThrow(TypeError);
		expect(resolve).toThrow(`retry.${name} ${problem}`);
	});
});

test("a list in flight with a tool call that fails is not touched by it", async () => {
	const api = await startLambdaApi({
		executes: true,
		give: (response, call) =>
			(call.message.id === 1 ? functionError('{"errorType":"Runtime.ExitError"}') : result()).give(response, call),
	});
	const { transport, messages } = connect(api);
	const [failed] = await Promise.all([rejection(transport.send(toolCall)), transport.send(toolsList)]);
	expect(failed).toMatchObject({ id: 1, code: "FUNCTION_EXITED" });
	expect(messages).toStrictEqual([{ jsonrpc: "2.0", id: 2, result: {} }]);
});
