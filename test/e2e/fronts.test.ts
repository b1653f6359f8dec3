import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSigV4Fetch } from "../../src/client/index.ts";
import type { LocalFrontOptions } from "../../src/local/index.ts";
import { createGate, fixture, runtimes, startLambda, type TestLambda } from "../local/lambda.ts";
import { connect, sdks } from "./clients.ts";
import { everything, fixtureServer, mcpFunction } from "./function.ts";
import { overStdio, runSurface } from "./surface.ts";

const iam = { accessKeyId: "AKIDLOCAL", secretAccessKey: "local secret" };
const fronts = {
	functionUrl: { kind: "functionUrl", functionName: "whole" },
	signedFunctionUrl: { kind: "functionUrl", functionName: "whole", iam },
	streamingFunctionUrl: { kind: "functionUrl", functionName: "streams", streaming: true },
	httpApi: { kind: "httpApi", functionName: "whole", stage: "live" },
	restApi: { kind: "restApi", functionName: "whole" },
	streamingRestApi: { kind: "restApi", functionName: "streams", streaming: true },
	loadBalancer: { kind: "loadBalancer", functionName: "whole" },
	multiValueLoadBalancer: { kind: "loadBalancer", functionName: "whole", multiValueHeaders: true },
} as const satisfies Record<string, LocalFrontOptions>;
type Name = keyof typeof fronts;
const names = Object.keys(fronts) as Name[];
const signedFetch = createSigV4Fetch({ service: "lambda", region: "us-east-1", credentials: iam });

describe.each(runtimes)("MCP clients reach a function, in the runtime $name,", ({ runtime, skip }) => {
	describe.skipIf(skip)("", () => {
		const ends: (() => unknown)[] = [];
		let gated: TestLambda;

		const start = (server: string, context?: Parameters<typeof startLambda>[2]): Promise<TestLambda> => {
			const functions = {
				whole: mcpFunction(server, "environment", { runtime }, { handler: fixture("middleware.mjs") }),
				streams: mcpFunction(server, "environment", { runtime }, { handler: fixture("middleware-streaming.mjs") }),
			};
			return startLambda(functions, { fronts }, context);
		};
		beforeAll(async () => {
			const onTestFinished = (end: unknown) => void ends.push(end as () => unknown);
			gated = await start(fixtureServer("gated"), { onTestFinished });
		});
		afterAll(async () => {
			for (const end of ends) await end();
		});

		const combinations = names.flatMap((name) => sdks.map((sdk) => [name, sdk.name, sdk] as const));
		/** Each front, and each client about as often. The server remembers, so that each has one of its own. */
		const pairs = combinations.filter(
			(_, index) => index % sdks.length === Math.floor(index / sdks.length) % sdks.length,
		);

		test.each(pairs)("through a %s: the client of %s gets what it gets over a pipe", async (name, _, sdk) => {
			const official = await start(everything);
			const fetch = "iam" in fronts[name] ? signedFetch : undefined;
			const client = await connect(sdk, sdk.http(`${official.urls[name]}mcp`, fetch as typeof globalThis.fetch));
			expect(await runSurface(client)).toEqual(await overStdio(sdk));
		});

		test.each(combinations)(
			"through a %s: the client of %s hears of progress and log messages",
			async (name, _, sdk) => {
				const { gate, open } = await createGate();
				const fetch = "iam" in fronts[name] ? signedFetch : undefined;
				const client = await connect(sdk, sdk.http(`${gated.urls[name]}mcp`, fetch as typeof globalThis.fetch));
				const heard: unknown[] = [];
				client.onLog((data) => void heard.push(data));
				const onprogress = ({ progress }: { readonly progress: number }) => {
					heard.push(progress);
				};
				const called = client.call("gated", { gate }, { onprogress });
				// A front that does not stream has all of it at the end.
				if ("streaming" in fronts[name]) await expect.poll(() => heard, { timeout: 10_000 }).toEqual([1, "waiting"]);
				await open();
				expect((await called).content[0].text).toBe("opened");
				expect(heard).toEqual([1, "waiting", 2]);
			},
		);
	});
});
