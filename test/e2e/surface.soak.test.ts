import { describe, expect, test } from "vitest";
import { withoutKeptState } from "../../src/protocol/capabilities.ts";
import { runtimes, startLambda } from "../local/lambda.ts";
import { connect, type Sdk, sdks, transportTo } from "./clients.ts";
import { everything, mcpFunction } from "./function.ts";
import { answersAsOverStdio, middleware, overStdio, runSurface, runs, streams, type Transcript } from "./surface.ts";

const combinations = runtimes.flatMap((runtime) =>
	[runs, middleware, streams].map((kind) => ({ ...runtime, ...kind })),
);

describe.each(combinations)("a function of $kind in the runtime $name", (combination) => {
	test.skipIf(combination.skip).each(sdks)(
		"answers the client of $name as the server does over a pipe",
		async (sdk) => {
			await answersAsOverStdio(combination, combination, sdk);
		},
	);
});

test("a function with a process for each request answers as the server does over a pipe", async () => {
	const [sdk] = sdks as readonly [Sdk];
	const lambda = await startLambda({ everything: mcpFunction(everything, "request", { runtime: "own" }) });
	const client = await connect(sdk, transportTo(lambda, "everything"));
	const { server, ...others } = await runSurface(client);
	const { server: ownServer, ...expected } = await overStdio(sdk);
	expect(others).toEqual(expected);
	// What would be gone with the process is not advertised.
	const [version, capabilities, instructions] = resultOf(ownServer);
	expect(resultOf(server)).toEqual([version, withoutKeptState({ capabilities }).capabilities, instructions]);
	expect(capabilities).toHaveProperty("tasks");
});

function resultOf(outcome: Transcript[string] | undefined): [unknown, unknown, unknown] {
	if (!outcome || !("result" in outcome)) throw new Error("no result");
	return outcome.result as [unknown, unknown, unknown];
}
