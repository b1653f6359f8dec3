import { describe, expect, test } from "vitest";
import { withoutKeptState } from "../../src/protocol/capabilities.ts";
import { fixture, runtimes, startLambda } from "../local/lambda.ts";
import { connect, type Sdk, sdks, transportTo } from "./clients.ts";
import { everything, mcpFunction } from "./function.ts";
import { overStdio, runSurface, type Transcript } from "./surface.ts";

const kinds = [
	{ kind: "runStdioRequest", handler: fixture("mcp.mjs") },
	{ kind: "the middleware", handler: fixture("middleware.mjs") },
];
const combinations = runtimes.flatMap((runtime) => kinds.map((kind) => ({ ...runtime, ...kind })));

test("over a pipe, most of the surface answers with results, and some with errors", async () => {
	for (const sdk of sdks) {
		const outcomes = Object.values(await overStdio(sdk));
		expect(outcomes.filter((outcome) => "result" in outcome).length).toBeGreaterThan(35);
		expect(outcomes.filter((outcome) => "error" in outcome).length).toBeGreaterThan(4);
	}
});

describe.each(combinations)("a function of $kind in the runtime $name", ({ handler, ...runtime }) => {
	describe.skipIf(runtime.skip)("", () => {
		test.each(sdks)("answers the client of $name as the server does over a pipe", async (sdk) => {
			const lambda = await startLambda({
				everything: mcpFunction(everything, "environment", runtime, { handler }),
			});
			const client = await connect(sdk, transportTo(lambda, "everything"));
			expect(await runSurface(client)).toEqual(await overStdio(sdk));
			expect(lambda.environments("everything")).toHaveLength(1);
		});
	});
});

test("a function with a process for each request answers as the server does over a pipe", {
	timeout: 60_000,
}, async () => {
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
