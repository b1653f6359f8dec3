import { describe, expect, test } from "vitest";
import { agentCoreContext } from "../events/agentcore-invocations.ts";
import { fixture, runtimes, startLambda } from "../local/lambda.ts";
import { everything } from "./function.ts";

describe.each(runtimes)("AgentCore Gateway invokes the built package, with the runtime $name,", ({ runtime, skip }) => {
	async function start(options: object = {}) {
		const environment = {
			SERVER: JSON.stringify([everything]),
			LIFETIME: "environment",
			OPTIONS: JSON.stringify(options),
		};
		const handler = fixture("middleware.mjs");
		const lambda = await startLambda(
			{ everything: { handler, environment, memorySizeMb: 1024, timeoutMs: 100_000 } },
			{ runtime },
		);
		const propagated = { bedrockAgentCorePropagatedHeaders: { Authorization: "Bearer sesame" } };
		return {
			lambda,
			call: (tool: string, args: object) => {
				const context = agentCoreContext(`everything___${tool}`, propagated);
				const ClientContext = Buffer.from(JSON.stringify(context)).toString("base64");
				return lambda.invoke("everything", args, { ClientContext, LogType: "Tail" });
			},
		};
	}

	test.skipIf(skip)("and gets the tool's answer, and errors as answers", async () => {
		const { lambda, call } = await start();
		expect((await call("echo", { message: "hello" })).payload).toBe("Echo: hello");
		const { payload } = await call("get-structured-content", { location: "New York" });
		expect(payload).toMatchObject({ temperature: expect.any(Number) });
		const failed = await call("echo", {});
		expect(failed.functionError).toBeUndefined();
		expect(failed.payload).toMatchObject({ isError: true, error: { message: expect.stringContaining("message") } });
		const listed = await lambda.invoke("everything", { jsonrpc: "2.0", id: 1, method: "tools/list" });
		expect(listed.payload.result.tools.length).toBeGreaterThan(5);
		expect(JSON.stringify([lambda.logs, failed.log])).not.toContain("sesame");
	});

	test.skipIf(skip)("and gets a function error where errors are thrown", async () => {
		const { lambda, call } = await start({ agentCoreErrors: "throw" });
		const { functionError, payload } = await call("echo", {});
		expect(functionError).toBe("Unhandled");
		expect(payload).toMatchObject({
			errorType: "AgentCoreToolError",
			errorMessage: expect.stringContaining("message"),
		});
		expect((await call("echo", { message: "hello" })).payload).toBe("Echo: hello");
		expect(JSON.stringify(lambda.logs)).toContain("AgentCoreToolError");
		expect(JSON.stringify(lambda.logs)).not.toContain("sesame");
	});
});
