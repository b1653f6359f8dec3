import { describe, expect, test } from "vitest";
import { fixture, runtimes, startLambda } from "../local/lambda.ts";
import { connect, type Sdk, sdks, transportTo } from "./clients.ts";
import { everything, mcpFunction } from "./function.ts";
import { overStdio, runSurface, type Transcript } from "./surface.ts";

describe.each(runtimes)("a function of the reference's adapter in the runtime $name", (runtime) => {
	const sdk = (runtime.runtime === "own" ? sdks[0] : sdks[2]) as Sdk;

	test.skipIf(runtime.skip)(
		`serves the client of ${sdk.name} as the server does over a pipe, with a prefix before errors`,
		async () => {
			const handler = fixture("reference.mjs");
			const lambda = await startLambda({ everything: mcpFunction(everything, "request", runtime, { handler }) });
			const client = await connect(sdk, transportTo(lambda, "everything"));
			expect(await runSurface(client, 4)).toEqual(asAdapted(await overStdio(sdk)));
		},
	);
});

/** The adapter passes on an error of the SDK, whose message begins with its code, and no data. */
function asAdapted(transcript: Transcript): Transcript {
	return Object.fromEntries(
		Object.entries(transcript).map(([name, outcome]) => {
			if (!("error" in outcome)) return [name, outcome];
			const { code, message } = outcome.error;
			return [name, { error: { code, message: `MCP error ${code}: ${message}`, data: undefined } }];
		}),
	);
}
