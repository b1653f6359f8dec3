import { describe, expect, test } from "vitest";
import { rejection, startLambda } from "../local/lambda.ts";
import {
	callText,
	childrenOf,
	combinations,
	everything,
	fixtureServer,
	keepsItsPromise,
	mcpFunction,
	request,
	toolCall,
} from "./function.ts";

describe.each(combinations)("a function in the runtime $name with the lifetime $lifetime", (combination) => {
	const { lifetime } = combination;

	describe.skipIf(combination.skip)("", () => {
		test("serves the official server, cold and warm", async () => {
			const lambda = await startLambda({ everything: mcpFunction(everything, lifetime, combination) });
			const clientInfo = { name: "test", version: "1.0.0" };

			const opened = await lambda.invoke(
				"everything",
				request("initialize", { protocolVersion: "2025-06-18", capabilities: {}, clientInfo }),
			);
			expect(opened.payload.result).toMatchObject({
				protocolVersion: "2025-06-18",
				serverInfo: { name: "mcp-servers/everything" },
			});
			const notified = await lambda.invoke("everything", { jsonrpc: "2.0", method: "notifications/initialized" });
			expect(notified.payload).toEqual({});

			const listed = await lambda.invoke("everything", request("tools/list"));
			expect(listed.payload.result.tools.map((tool: { name: string }) => tool.name)).toContain("echo");
			expect(await callText(lambda, "everything", "echo", { message: "é" })).toBe("Echo: é");
			const unknown = request("no/such/method");
			expect((await lambda.invoke("everything", unknown)).payload).toMatchObject({
				id: unknown.id,
				error: { code: -32601 },
			});
		});

		test("answers before Lambda's timeout when the server does not, and serves the next request", async () => {
			const lambda = await startLambda({
				sleeper: mcpFunction(fixtureServer("well-behaved"), lifetime, combination, { timeoutMs: 2000 }),
			});
			await callText(lambda, "sleeper", "echo", { message: "warm" });
			const [before] = lambda.environments("sleeper");

			const late = await lambda.invoke("sleeper", toolCall("sleep", { ms: 60_000 }));
			expect(late.functionError).toBeUndefined();
			expect(late.payload.error.data).toMatchObject({ code: "TIMEOUT", phase: "request" });

			expect(await callText(lambda, "sleeper", "echo", { message: "again" })).toBe("Echo: again");
			expect(lambda.environments("sleeper")[0]?.pid).toBe(before?.pid);
		});

		test("replaces a server that hangs, across the freeze", async () => {
			const lambda = await startLambda({
				hangs: mcpFunction(fixtureServer("hangs-busy"), lifetime, combination, { timeoutMs: 3000 }),
			});
			const hung = await lambda.invoke("hangs", toolCall("hang"));
			expect(hung.payload.error.data.code).toBe("TIMEOUT");
			expect(await callText(lambda, "hangs", "echo", { message: "anew" })).toBe("Echo: anew");
			expect(childrenOf(lambda, "hangs")).toBeLessThanOrEqual(3);
		});

		test("says how the server crashed and serves the next request in the same environment", async () => {
			const lambda = await startLambda({
				crashes: mcpFunction(fixtureServer("well-behaved"), lifetime, combination),
			});
			const crashed = await lambda.invoke("crashes", toolCall("exit", { code: 3, stderr: "Fatal: no luck" }));
			expect(crashed.functionError).toBeUndefined();
			expect(crashed.payload.error.data).toMatchObject({ code: "SERVER_EXITED", exitCode: 3 });
			expect(JSON.stringify(crashed.payload)).not.toContain("no luck");
			expect(lambda.logs.map(({ message }) => message).join("\n")).toContain("Fatal: no luck");

			const [before] = lambda.environments("crashes");
			expect(await callText(lambda, "crashes", "echo", { message: "again" })).toBe("Echo: again");
			expect(lambda.environments("crashes")[0]?.pid).toBe(before?.pid);
		});

		test("starts an environment for each of several requests at once, and is throttled beyond the limit", async () => {
			const lambda = await startLambda(
				{ busy: mcpFunction(fixtureServer("well-behaved"), lifetime, combination) },
				{ concurrency: 2 },
			);
			const calls = ["a", "b"].map(() => lambda.invoke("busy", toolCall("sleep", { ms: 1500 })));
			await expect.poll(() => lambda.environments("busy").filter(({ state }) => state !== "idle").length).toBe(2);
			expect(await rejection(lambda.invoke("busy", toolCall("pid")))).toMatchObject({
				name: "TooManyRequestsException",
				Reason: "ConcurrentInvocationLimitExceeded",
			});
			for (const { payload } of await Promise.all(calls)) expect(payload.result.content[0].text).toContain("Slept");
		});

		test("keeps its promise over freezes", async () => {
			await keepsItsPromise(combination, lifetime === "environment" ? 20 : 5);
		});
	});
});
