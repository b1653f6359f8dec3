import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { InvocationResult } from "../../../src/local/environment/invocation-result.ts";
import type { ResponseOutput } from "../../../src/local/environment/response-output.ts";
import type { ResolvedFront } from "../../../src/local/front/http/options.ts";
import { startFront } from "../../../src/local/front/http/server.ts";
import type { LocalFunction } from "../../../src/local/function.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** A front of a function that answers when the test says so. */
async function start(kind: ResolvedFront["kind"], streaming = false) {
	const invoked = Promise.withResolvers<ResponseOutput | undefined>();
	const result = Promise.withResolvers<InvocationResult>();
	const fn = {
		resolved: { arn: "arn:aws:lambda:us-east-1:123456789012:function:it" },
		invoke: (_: unknown, output: ResponseOutput | undefined) => {
			invoked.resolve(output);
			return result.promise;
		},
	} as unknown as LocalFunction;
	const options: ResolvedFront = {
		name: "it",
		kind,
		functionName: "it",
		streaming,
		stage: kind === "restApi" ? "prod" : "$default",
		multiValueHeaders: false,
		port: 0,
		iam: undefined,
		region: "us-east-1",
		accountId: "123456789012",
	};
	const front = await startFront(options, fn, "127.0.0.1");
	onTestFinished(() => front.close());
	return { url: `${front.url}mcp`, invoked: invoked.promise, result };
}

const whole = (value: unknown): InvocationResult => ({
	kind: "whole",
	payload: Buffer.from(JSON.stringify(value)),
	isFunctionError: false,
	logTail: Promise.resolve(""),
});

test.each([
	["httpApi", 30_000, 503, { message: "Service Unavailable" }],
	["restApi", 29_000, 504, { message: "Endpoint request timed out" }],
] as const)("a %s waits %i ms for the function, and no longer", async (kind, ms, status, body) => {
	const { url, invoked, result } = await start(kind);
	const answered = vi.fn();
	const response = fetch(url);
	void response.then(answered);
	await invoked;
	vi.advanceTimersByTime(ms - 1);
	await new Promise(setImmediate);
	expect(answered).not.toHaveBeenCalled();
	vi.advanceTimersByTime(1);
	expect([(await response).status, await (await response).json()]).toEqual([status, body]);
	// What the function answers then is lost, and does no harm.
	result.resolve(whole({ statusCode: 200, body: "late" }));
	await new Promise(setImmediate);
});

test.each(["functionUrl", "loadBalancer"] as const)("a %s waits as long as the function may take", async (kind) => {
	const { url, invoked, result } = await start(kind);
	const response = fetch(url);
	await invoked;
	vi.advanceTimersByTime(15 * 60_000);
	result.resolve(whole({ statusCode: 200, body: "late" }));
	expect(await (await response).text()).toBe("late");
});

test("a stream of a REST API may be silent for five minutes", async () => {
	const { url, invoked } = await start("restApi", true);
	const response = fetch(url);
	const output = (await invoked) as ResponseOutput;
	output.start("application/vnd.awslambda.http-integration-response");
	await output.write(Buffer.concat([Buffer.from('{"statusCode":200}'), Buffer.alloc(8), Buffer.from("first")]));
	const reader = (await response).body?.getReader();
	expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("first");
	vi.advanceTimersByTime(299_999);
	await output.write(Buffer.from("second"));
	expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("second");
	vi.advanceTimersByTime(300_000);
	await expect(reader?.read()).rejects.toThrow();
});
