import { describe, expect, test } from "vitest";
import { type Lifetime, runStdioRequest } from "../src/index.ts";
import { leaveNothingBehind } from "./support/processes.ts";
import { record } from "./support/recorder.ts";
import { callTool, echo, failureOf, inlineFixture, lifetimes, textOf } from "./support/servers.ts";

leaveNothingBehind();

/** A tool that writes what it is given, again and again, and never answers. */
const floods = inlineFixture(`serve({ tools: {
	flood: ({ text, stream }) => {
		const chunk = text.repeat(Math.ceil(65536 / text.length));
		const write = () => process[stream].write(chunk, () => setImmediate(write));
		write();
		return never;
	},
} });`);

const kinds: readonly (readonly [string, string, "stdout" | "stderr"])[] = [
	["short lines", "y\n", "stdout"],
	["empty lines", "\n", "stdout"],
	["short lines on stderr", "y\n", "stderr"],
	["notifications", '{"jsonrpc":"2.0","method":"notifications/message","params":{}}\n', "stdout"],
	["requests of its own", '{"jsonrpc":"2.0","id":1,"method":"ping"}\n', "stdout"],
	["a line without end", "y", "stdout"],
];

describe.each(lifetimes)("in the lifetime %s, a server that floods", (lifetime: Lifetime) => {
	test.each(kinds)(
		"with %s keeps no deadline from being kept, and no other server's request",
		async (_, text, stream) => {
			const told = record();
			const options = { lifetime, standby: 0, timeoutMs: 1500, observer: told.observer };
			const startedAt = performance.now();
			const flooded = runStdioRequest(floods, callTool("flood", { text, stream }), options);
			const others = Array.from({ length: 3 }, () =>
				runStdioRequest(inlineFixture("serve();"), echo, { lifetime, standby: 0 }),
			);
			expect((await Promise.all(others)).map(textOf)).toEqual(Array(3).fill("Echo: hello"));
			// Of what the flood is made decides how it fails: what matters is when.
			expect(await flooded).toHaveProperty("error");
			// The limit is the behaviour: a second more than the deadline, and another for a busy machine.
			expect(performance.now() - startedAt).toBeLessThan(3500);
			expect(told.noise.length).toBeLessThan(3000);
		},
	);
});

test("a kept server that does nothing else is ended, and the next request is served by another", async () => {
	const told = record();
	const options = { lifetime: "environment" as const, observer: told.observer };
	const call = callTool("flood", { text: "y\n", stream: "stdout" });
	const failure = failureOf(await runStdioRequest(floods, call, { ...options, timeoutMs: 30_000 }));
	expect(failure.code).toBe("SERVER_EXITED");
	expect(told.failure.at(-1)?.error.message).toContain("it wrote without pause and answered nothing");
	expect(textOf(await runStdioRequest(floods, echo, options))).toBe("Echo: hello");
	await expect.poll(() => told.exit.map(({ reason }) => reason)).toContain("flood");
});
