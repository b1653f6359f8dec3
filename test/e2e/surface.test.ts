import { describe, expect, test } from "vitest";
import { runtimes, startLambda } from "../local/lambda.ts";
import { connect, type Sdk, sdks, transportTo } from "./clients.ts";
import { everything, mcpFunction } from "./function.ts";
import { answersAsOverStdio, middleware, overStdio, runs, streams } from "./surface.ts";

// Each kind with one client; surface.soak.test.ts has them all.
const tried = [
	{ ...runs, sdk: sdks[0] as Sdk },
	{ ...middleware, sdk: sdks[1] as Sdk },
	{ ...streams, sdk: sdks[2] as Sdk },
];
const combinations = runtimes.flatMap((runtime) => tried.map((kind) => ({ ...runtime, ...kind })));

test("over a pipe, most of the surface answers with results, and some with errors", async () => {
	for (const sdk of sdks) {
		const outcomes = Object.values(await overStdio(sdk));
		expect(outcomes.filter((outcome) => "result" in outcome).length).toBeGreaterThan(35);
		expect(outcomes.filter((outcome) => "error" in outcome).length).toBeGreaterThan(4);
	}
});

describe.each(combinations)("a function of $kind in the runtime $name", ({ sdk, ...combination }) => {
	test.skipIf(combination.skip)(`answers the client of ${sdk.name} as the server does over a pipe`, async () => {
		await answersAsOverStdio(combination, combination, sdk);
	});
});

describe("what a server remembers from one request to the next", () => {
	const link = { name: "a.gz", data: "data:text/plain,hello", outputType: "resourceLink" };

	async function prepareAndRead(lifetime: "request" | "environment") {
		const lambda = await startLambda({ everything: mcpFunction(everything, lifetime, { runtime: "own" }) });
		const client = await connect(sdks[0] as Sdk, transportTo(lambda, "everything"));
		const { content } = await client.call("gzip-file-as-resource", link);
		return client.readResource({ uri: content[0].uri });
	}

	test("is there for the client when its process is kept", async () => {
		expect(await prepareAndRead("environment")).toMatchObject({ contents: [{ mimeType: "application/gzip" }] });
	});

	test("is an error that the server answers when each request has a process of its own", async () => {
		await expect(prepareAndRead("request")).rejects.toMatchObject({ code: -32602 });
	});
});
