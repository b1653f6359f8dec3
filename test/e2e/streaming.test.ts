import { describe, expect, test } from "vitest";
import type { LocalFunctionOptions } from "../../src/local/index.ts";
import {
	createGate,
	fixture,
	type Runtime,
	rejection,
	runtimes,
	startLambda,
	type TestLambda,
} from "../local/lambda.ts";
import { connect, sdks, transportTo } from "./clients.ts";
import { everything, fixtureServer, mcpFunction } from "./function.ts";

const handler = fixture("middleware-streaming.mjs");
const combinations = runtimes.flatMap((runtime) => sdks.map((sdk) => ({ runtime, sdk })));

function startStreaming(
	server: string,
	runtime: Pick<Runtime, "runtime">,
	options: Partial<LocalFunctionOptions> = {},
): Promise<TestLambda> {
	return startLambda({ streams: mcpFunction(server, "environment", runtime, { handler, ...options }) });
}

describe.each(combinations)(
	"the client of $sdk.name at a function that streams, in the runtime $runtime.name",
	({ runtime, sdk }) => {
		describe.skipIf(runtime.skip)("", () => {
			test("hears of progress and log messages while the tool still runs", async () => {
				const { gate, open } = await createGate();
				const lambda = await startStreaming(fixtureServer("gated"), runtime);
				const client = await connect(sdk, transportTo(lambda, "streams", { streaming: true }));
				const heard: unknown[] = [];
				client.onLog((data) => void heard.push(data));
				const onprogress = ({ progress }: { readonly progress: number }) => {
					heard.push(progress);
				};
				const called = client.call("gated", { gate }, { onprogress });
				await expect.poll(() => heard).toEqual([1, "waiting"]);
				expect(lambda.environments("streams")).toMatchObject([{ state: "busy" }]);
				await open();
				expect((await called).content[0].text).toBe("opened");
				expect(heard).toEqual([1, "waiting", 2]);
			});
		});
	},
);

const [sdk] = sdks as readonly [(typeof sdks)[number]];

describe.each(runtimes)("a function that streams, in the runtime $name", (runtime) => {
	describe.skipIf(runtime.skip)("", () => {
		test("gives results that are over the limit of a function that does not", async () => {
			const lambda = await startStreaming(fixtureServer("well-behaved"), runtime);
			const client = await connect(sdk, transportTo(lambda, "streams", { streaming: true }));
			const bytes = 20_000_000;
			expect((await client.call("payload", { bytes })).content[0].text).toHaveLength(bytes);
			const buffered = await connect(sdk, transportTo(lambda, "streams"));
			expect(await rejection(buffered.call("payload", { bytes }))).toMatchObject({ code: "RESPONSE_TOO_LARGE" });
		});

		test("serves a transport that does not stream, which gets the notifications along with the response", async () => {
			const lambda = await startStreaming(fixtureServer("well-behaved"), runtime);
			const client = await connect(sdk, transportTo(lambda, "streams"));
			const heard: number[] = [];
			const onprogress = ({ progress }: { readonly progress: number }) => void heard.push(progress);
			expect((await client.call("progress", { steps: 3 }, { onprogress })).content[0].text).toBe("Done");
			expect(heard).toEqual([1, 2, 3]);
		});

		test("answers before its timeout when the server does not, after what was streamed", async () => {
			const { gate } = await createGate();
			const lambda = await startStreaming(fixtureServer("gated"), runtime, { timeoutMs: 3000 });
			const client = await connect(sdk, transportTo(lambda, "streams", { streaming: true }));
			const heard: number[] = [];
			const onprogress = ({ progress }: { readonly progress: number }) => void heard.push(progress);
			const failure = await rejection(client.call("gated", { gate }, { onprogress }));
			expect(failure).toMatchObject({ code: -32603, data: { code: "TIMEOUT", phase: "request" } });
			expect(heard).toEqual([1]);
		});

		test("that dies midway is an error at once, and is not called again", async () => {
			const { gate } = await createGate();
			const lambda = await startStreaming(fixtureServer("gated"), runtime, { environment: { DIES: "1" } });
			const attempts: unknown[] = [];
			const client = await connect(
				sdk,
				transportTo(lambda, "streams", {
					streaming: true,
					retry: { isSafe: () => true, onRetry: (e) => attempts.push(e) },
				}),
			);
			const failure = await rejection(client.call("gated", { gate }, { onprogress: () => {} }));
			expect(failure).toMatchObject({ name: "LambdaTransportError", code: "FUNCTION_EXITED", attempts: 1 });
			expect(failure.message).toContain("its process ended while it worked; the function's log has the cause");
			expect(attempts).toEqual([]);
		});
	});
});

test("a transport that streams gets the result of a function that does not as a whole", async () => {
	const lambda = await startLambda({ whole: mcpFunction(everything, "environment", { runtime: "own" }) });
	const client = await connect(sdk, transportTo(lambda, "whole", { streaming: true }));
	expect(await client.call("echo", { message: "é" })).toMatchObject({ content: [{ text: "Echo: é" }] });
});
