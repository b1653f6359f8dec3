import { describe, expect, test } from "vitest";
import { runtimes } from "../local/lambda.ts";
import { combinations, connectTo, startFronts } from "./fronts.ts";
import { everything } from "./function.ts";
import { overStdio, runSurface } from "./surface.ts";

describe.each(runtimes)("the official server behind a front, in the runtime $name,", (runtime) => {
	describe.skipIf(runtime.skip)("", () => {
		test.each(combinations)("through a %s: the client of %s gets what it gets over a pipe", async (front, _, sdk) => {
			const client = await connectTo(await startFronts(everything, runtime), front, sdk);
			expect(await runSurface(client)).toEqual(await overStdio(sdk));
		});
	});
});
