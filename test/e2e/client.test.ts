import { describe, expect, test } from "vitest";
import { fixture, rejection, runtimes, startLambda } from "../local/lambda.ts";
import { connect, createRetryBudget, type Sdk, sdk2, sdks, transportTo } from "./clients.ts";
import { everything, fixtureServer, mcpFunction } from "./function.ts";

const combinations = runtimes.flatMap((runtime) => sdks.map((sdk) => ({ runtime, sdk })));
const atOnce = 20;

describe.each(combinations)(
	"the client of $sdk.name at a function in the runtime $runtime.name",
	({ runtime, sdk }) => {
		describe.skipIf(runtime.skip)("", () => {
			test(`gets each of ${atOnce} answers that it waits for at once for its own request`, async () => {
				const lambda = await startLambda({
					waits: { handler: fixture("fails.mjs"), timeoutMs: 100_000, runtime: runtime.runtime },
				});
				const client = await connect(
					sdk,
					transportTo(lambda, "waits", {
						retry: { maxAttempts: 100, baseDelayMs: 100, maxDelayMs: 500, budget: createRetryBudget(1000) },
					}),
				);
				// The later it is asked, the sooner it is answered.
				const waits = Array.from({ length: atOnce }, (_, index) => (atOnce - index) * 20);
				const answers = await Promise.all(
					waits.map((ms, index) =>
						index % 4 === 0 ? client.call("echo", { message: `${index}` }) : client.call("sleep", { ms }),
					),
				);
				expect(answers.map(({ content }) => content[0].text)).toEqual(
					waits.map((ms, index) => (index % 4 === 0 ? `${index}` : `Slept ${ms} ms`)),
				);
				expect(lambda.environments("waits").length).toBeLessThanOrEqual(10);
			});

			test("gets the server's errors as they are: code, message and data", async () => {
				const lambda = await startLambda({
					fixture: mcpFunction(fixtureServer("well-behaved"), "environment", runtime),
				});
				const client = await connect(sdk, transportTo(lambda, "fixture"));
				const error = { code: -32050, message: "Not like this", data: { why: ["because"], deep: { é: null } } };
				const failure = await rejection(client.call("fail", error));
				expect(failure).toMatchObject({ code: error.code, data: error.data });
				expect(failure.message).toContain(error.message);
			});

			test("gets every page of a list, and the server's error for a cursor that it does not know", async () => {
				const lambda = await startLambda({ pages: mcpFunction(fixtureServer("paginates"), "request", runtime) });
				const client = await connect(sdk, transportTo(lambda, "pages"));
				const names: string[] = [];
				let cursor: string | undefined = "from 0";
				while (cursor !== undefined) {
					const page: Awaited<ReturnType<typeof client.listTools>> = await client.listTools({ cursor });
					expect(page.tools.length).toBeLessThanOrEqual(2);
					names.push(...page.tools.map(({ name }) => name));
					cursor = page.nextCursor;
				}
				expect(names).toEqual(["a", "b", "c", "d", "e"]);
				await expect(client.listTools({ cursor: "from 9" })).rejects.toMatchObject({ code: -32602 });
			});
		});
	},
);

describe("a client of SDK 2 that is pinned to the modern era", () => {
	const pinned = sdk2("pinned", { pin: "2026-07-28" });

	test.each(["mcp.mjs", "middleware.mjs"])(
		"is refused by a function of %s with a legacy server, and told why",
		async (file) => {
			const lambda = await startLambda({
				legacy: mcpFunction(everything, "environment", { runtime: "own" }, { handler: fixture(file) }),
			});
			const failure = await rejection(pinned.connect(transportTo(lambda, "legacy")));
			expect(failure).toMatchObject({ name: "SdkError", code: "ERA_NEGOTIATION_FAILED" });
			expect(failure.message).toMatch(/2026-07-28/);
			expect(lambda.environments("legacy")).toHaveLength(1);
		},
	);

	test.each([pinned, sdk2("auto", "auto")] satisfies Sdk[])("$name: speaks it to a function that does", async (sdk) => {
		const lambda = await startLambda({ modern: { handler: fixture("modern.mjs"), timeoutMs: 100_000 } });
		const client = await connect(sdk, transportTo(lambda, "modern"));
		const { content } = await client.call("envelope");
		expect(JSON.parse(content[0].text)).toMatchObject({
			"io.modelcontextprotocol/protocolVersion": "2026-07-28",
			"io.modelcontextprotocol/clientInfo": { name: "test" },
		});

		const controller = new AbortController();
		const cancelled = client.call("sleep", { ms: 9000 }, { signal: controller.signal });
		const other = client.call("sleep", { ms: 500 });
		controller.abort(new Error("not needed any more"));
		await expect(cancelled).rejects.toThrow("not needed any more");
		expect((await other).content[0].text).toBe("Slept 500 ms");
	});
});
