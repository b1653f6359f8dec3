import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createGate, runtimes, type TestLambda } from "../local/lambda.ts";
import { sdks } from "./clients.ts";
import { connectTo, fronts, pairs, startFronts } from "./fronts.ts";
import { everything, fixtureServer } from "./function.ts";
import { overStdio, runSurface } from "./surface.ts";

const [sdk] = sdks as readonly [(typeof sdks)[number]];

describe.each(runtimes)("MCP clients reach a function, in the runtime $name,", (runtime) => {
	describe.skipIf(runtime.skip)("", () => {
		const ends: (() => unknown)[] = [];
		let gated: TestLambda;

		beforeAll(async () => {
			const onTestFinished = (end: unknown) => void ends.push(end as () => unknown);
			gated = await startFronts(fixtureServer("gated"), runtime, { onTestFinished });
		});
		afterAll(async () => {
			for (const end of ends) await end();
		});

		// The others are in fronts.soak.test.ts.
		test.each(["functionUrl", "streamingRestApi"])("through a %s, with what they get over a pipe", async (front) => {
			const client = await connectTo(await startFronts(everything, runtime), front, sdk);
			expect(await runSurface(client)).toEqual(await overStdio(sdk));
		});

		test.each(pairs)("through a %s: the client of %s hears of progress and log messages", async (front, _, sdk) => {
			const { gate, open } = await createGate();
			const client = await connectTo(gated, front, sdk);
			const heard: unknown[] = [];
			client.onLog((data) => void heard.push(data));
			const onprogress = ({ progress }: { readonly progress: number }) => {
				heard.push(progress);
			};
			const called = client.call("gated", { gate }, { onprogress });
			// A front that does not stream has all of it at the end.
			if (fronts[front]?.streaming) await expect.poll(() => heard).toEqual([1, "waiting"]);
			await open();
			expect((await called).content[0].text).toBe("opened");
			expect(heard).toEqual([1, "waiting", 2]);
		});
	});
});
