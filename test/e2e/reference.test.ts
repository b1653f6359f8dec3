import {
	type LambdaFunctionParameters,
	LambdaFunctionClientTransport as ReferenceTransport,
} from "@aws/run-mcp-servers-with-aws-lambda";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { fixture, runtimes, startLambda, type TestLambda } from "../local/lambda.ts";
import { connect, type Sdk, sdks, transportTo } from "./clients.ts";
import { everything, fixtureServer, mcpFunction } from "./function.ts";
import { overStdio, runSurface } from "./surface.ts";

const kinds = ["mcp.mjs", "middleware.mjs"];
const combinations = runtimes.flatMap((runtime) => kinds.map((kind) => ({ runtime, kind })));
const [sdk1] = sdks as readonly [Sdk];

/** The reference's transport, which finds Lambda as any program with the AWS SDK does. */
function referenceTransport(lambda: TestLambda, parameters: LambdaFunctionParameters): ReferenceTransport {
	vi.stubEnv("AWS_ENDPOINT_URL_LAMBDA", lambda.endpoint);
	vi.stubEnv("AWS_ACCESS_KEY_ID", "local");
	vi.stubEnv("AWS_SECRET_ACCESS_KEY", "local");
	onTestFinished(() => void vi.unstubAllEnvs());
	return new ReferenceTransport(parameters);
}

describe.each(combinations)(
	"the reference's client at a function of $kind in the runtime $runtime.name",
	({ runtime, kind }) => {
		test.skipIf(runtime.skip)("gets what the client of the SDK gets over a pipe", async () => {
			const lambda = await startLambda({
				everything: mcpFunction(everything, "environment", runtime, { handler: fixture(kind) }),
			});
			const transport = referenceTransport(lambda, { functionName: "everything", regionName: "us-east-1" });
			const client = await connect(sdk1, transport);
			expect(await runSurface(client)).toEqual(await overStdio(sdk1));
		});
	},
);

describe.each(runtimes)("a function of the reference's adapter in the runtime $name", (runtime) => {
	const sdk = (runtime.runtime === "own" ? sdks[0] : sdks[2]) as Sdk;
	const adapted = (server: string, environment: Record<string, string> = {}) =>
		mcpFunction(server, "request", runtime, { handler: fixture("reference.mjs"), environment });

	describe.skipIf(runtime.skip)("", () => {
		test("answers notifications with nothing, and errors of its own reach the request", async () => {
			const lambda = await startLambda({ broken: adapted(everything, { COMMAND: "/no/such/command" }) });
			const { transport, received, problems } = listenTo(lambda, "broken");
			await transport.send({ jsonrpc: "2.0", method: "notifications/initialized" });
			expect([received, problems]).toEqual([[], []]);

			await transport.send({ jsonrpc: "2.0", id: "a", method: "ping" });
			await expect(sdk.connect(transportTo(lambda, "broken"))).rejects.toMatchObject({ code: 500 });
			// It answers what it takes for no request under the id 0.
			await transport.send({ jsonrpc: "2.0", id: "b", method: "ping", unknownMember: 1 });
			expect(received).toEqual([
				{ jsonrpc: "2.0", id: "a", error: { code: 500, message: expect.stringContaining("Internal failure") } },
				{ jsonrpc: "2.0", id: "b", error: { code: -32600, message: expect.stringContaining("neither a valid") } },
			]);
			expect(problems).toEqual([]);
		});

		test("answers for a server that exits, and serves the next request", async () => {
			const lambda = await startLambda({ exits: adapted(fixtureServer("exits-mid-request")) });
			const client = await connect(sdk, transportTo(lambda, "exits"));
			await expect(client.call("echo", { message: "a" })).rejects.toMatchObject({ code: -32000 });
			expect((await client.listTools()).tools.map(({ name }) => name)).toContain("echo");
		});
	});
});

function listenTo(lambda: TestLambda, functionName: string) {
	const transport = transportTo(lambda, functionName);
	const received: unknown[] = [];
	const problems: Error[] = [];
	transport.onmessage = (message) => received.push(message);
	transport.onerror = (error) => problems.push(error);
	onTestFinished(async () => await transport.close());
	return { transport, received, problems };
}
