import { describe, expect, test, vi } from "vitest";
import { closeStdioServers, McpStdioError, prewarmStdioServer, runStdioRequest } from "../src/index.ts";
import { leaveNothingBehind } from "./support/processes.ts";
import { record } from "./support/recorder.ts";
import { callTool, echo, errorOf, failureOf, fixture, inlineFixture, lifetimes, textOf } from "./support/servers.ts";

leaveNothingBehind();

const wellBehaved = fixture("well-behaved");
const talksOnStderr = inlineFixture(`serve({ tools: {
	say: async ({ lines }) => {
		for (const line of lines) process.stderr.write(line);
		await new Promise((resolve) => setTimeout(resolve, 50));
		return "said";
	},
	shout: ({ lines }) => {
		process.stderr.write(lines.join("\\n"), () => process.exit(4));
		return never;
	},
} });`);

describe.each(lifetimes)("an observer, in the lifetime %s,", (lifetime) => {
	test("is told of a request from the start of its process to the end", async () => {
		const told = record();
		const options = { lifetime, standby: 0, observer: told.observer };
		await runStdioRequest(wellBehaved, { ...echo, id: "mine" }, options);
		await closeStdioServers();
		expect(told.kinds).toEqual(["spawn", "ready", "request", "answer", "exit"]);
		const source = lifetime === "request" ? "fresh" : "kept";
		const server = { server: "well-behaved.mjs", pid: expect.any(Number) };
		const request = { ...server, requestId: "mine", method: "tools/call" };
		expect(told.spawn).toEqual([{ ...server, source, elapsedMs: expect.any(Number) }]);
		expect(told.ready).toEqual([{ ...server, source, elapsedMs: expect.any(Number) }]);
		expect(told.request).toEqual([{ ...request, source, waitedMs: expect.any(Number) }]);
		expect(told.answer).toEqual([{ ...request, outcome: "result", elapsedMs: expect.any(Number) }]);
		const reason = lifetime === "request" ? "answered" : "closed";
		expect(told.exit).toMatchObject([{ ...server, reason }]);
		expect(
			new Set([told.spawn, told.ready, told.request, told.answer, told.exit].map(([event]) => event?.pid)).size,
		).toBe(1);
	});

	test("gets the correlation of a request back with each event about it", async () => {
		const told = record();
		const options = { lifetime, standby: 0, observer: told.observer };
		const [mine, yours] = [{ of: "mine" }, { of: "yours" }];
		await runStdioRequest(talksOnStderr, callTool("say", { lines: ["x\n"] }), { ...options, correlation: mine });
		await runStdioRequest(talksOnStderr, callTool("shout", { lines: ["y"] }), { ...options, correlation: yours });
		const started = lifetime === "request" ? [mine, yours] : [mine];
		for (const kind of ["spawn", "ready"] as const) {
			expect(told[kind].map(({ correlation }) => correlation)).toEqual(started);
		}
		for (const kind of ["request", "stderr"] as const) {
			expect(told[kind].map(({ correlation }) => correlation)).toEqual([mine, yours]);
		}
		expect(told.answer[0]?.correlation).toBe(mine);
		expect(told.failure[0]?.correlation).toBe(yours);
		expect(told.exit.at(-1)?.correlation).toBe(yours);
	});

	test("is told that a server answered with an error of its own, which is no failure", async () => {
		const told = record();
		await runStdioRequest(wellBehaved, callTool("fail"), { lifetime, standby: 0, observer: told.observer });
		expect(told.answer).toMatchObject([{ outcome: "error" }]);
		expect(told.failure).toEqual([]);
	});

	test("is told of a failure with the request's id and method", async () => {
		const told = record();
		const request = callTool("exit", { code: 3 }, { id: "" });
		await runStdioRequest(wellBehaved, request, { lifetime, standby: 0, observer: told.observer });
		expect(told.failure).toMatchObject([{ server: "well-behaved.mjs", requestId: "", method: "tools/call" }]);
		expect(told.failure[0]?.error).toBeInstanceOf(McpStdioError);
		expect(told.failure[0]?.error).toMatchObject({
			code: "SERVER_EXITED",
			data: { exitCode: 3, phase: "request", attempts: 1, elapsedMs: expect.any(Number) },
		});
		expect(told.answer).toEqual([]);
	});

	test("is told of each line on stderr, with the request's id", async () => {
		const told = record();
		const lines = ["first\n", "second\r\n", "third, ", "in two pieces\n", "ünï 👩‍👩‍👧‍👦\n"];
		await runStdioRequest(talksOnStderr, callTool("say", { lines }, { id: "mine" }), {
			lifetime,
			standby: 0,
			observer: told.observer,
		});
		expect(told.stderr.map(({ line }) => line)).toEqual(["first", "second", "third, in two pieces", "ünï 👩‍👩‍👧‍👦"]);
		expect(told.stderr.every(({ requestId }) => requestId === "mine")).toBe(true);
	});

	test("that throws disturbs nothing", async () => {
		const fail = () => {
			throw new Error("The observer fails");
		};
		const observer = { spawn: fail, ready: fail, request: fail, answer: fail, failure: fail, stderr: fail, exit: fail };
		const options = { lifetime, standby: 0, observer };
		expect(textOf(await runStdioRequest(talksOnStderr, callTool("say", { lines: ["x\n"] }), options))).toBe("said");
		expect(failureOf(await runStdioRequest(wellBehaved, callTool("exit"), options)).code).toBe("SERVER_EXITED");
		expect(textOf(await runStdioRequest(wellBehaved, echo, options))).toBe("Echo: hello");
	});

	test("is told of noise, at most 200 characters of it", async () => {
		const told = record();
		const params = inlineFixture(`serve({ tools: { babble: () => {
			process.stdout.write("n".repeat(5000) + "\\n");
			return "done";
		} } });`);
		await runStdioRequest(params, callTool("babble"), { lifetime, standby: 0, observer: told.observer });
		expect(told.noise).toMatchObject([{ problem: "a line that is not JSON", text: "n".repeat(200) }]);
	});

	test("is never shown arguments, results or environment values", async () => {
		const told = record();
		const params = {
			...wellBehaved,
			args: [...(wellBehaved.args ?? []), "--secret-argument"],
			env: { A: "secret value" },
		};
		const options = { lifetime, standby: 0, observer: told.observer };
		await runStdioRequest(params, callTool("echo", { message: "secret message" }), options);
		await runStdioRequest(params, callTool("exit", { secret: "secret message" }), options);
		expect(told.failure).toHaveLength(1);
		const { observer: _, ...events } = told;
		expect(JSON.stringify(events)).not.toContain("secret");
	});

	test("is told what a server wrote just before it died", async () => {
		const told = record();
		const lines = Array.from({ length: 34 }, (_, index) => `line ${index + 1}`);
		const response = await runStdioRequest(talksOnStderr, callTool("shout", { lines }), {
			lifetime,
			standby: 0,
			observer: told.observer,
		});
		expect(told.stderr.map(({ line }) => line)).toEqual(lines);
		const { error } = told.failure[0] ?? {};
		expect(error?.stderr).toEqual([...lines.slice(0, 10), "… 4 more lines …", ...lines.slice(-20)]);
		expect(error?.message).toContain("last line on stderr: line 34");
		expect(error?.message).toContain("exited with code 4");
		expect(JSON.stringify(response)).not.toContain("line 34");
		expect(failureOf(response)).not.toHaveProperty("stderr");
	});

	test("is told a last line without a newline", async () => {
		const told = record();
		const params = fixture("stderr-without-newline");
		await runStdioRequest(params, echo, { lifetime, standby: 0, observer: told.observer });
		expect(told.stderr.map(({ line }) => line)).toEqual(["A whole line", "Last words without a newline"]);
		expect(told.failure[0]?.error.stderr).toEqual(["A whole line", "Last words without a newline"]);
	});

	test("is told all lines of a server that floods stderr, which does not block it", async () => {
		const counted = { lines: 0 };
		const observer = {
			stderr: () => {
				counted.lines += 1;
			},
		};
		const response = await runStdioRequest(fixture("floods-stderr"), echo, { lifetime, standby: 0, observer });
		expect(textOf(response)).toBe("Echo: hello");
		expect(counted.lines).toBeGreaterThanOrEqual(199_000);
	});
});

test("a caller sees the lines on stderr only when exposeStderr is set", async () => {
	const told = record();
	const options = { standby: 0, observer: told.observer };
	const shown = await runStdioRequest(fixture("exits-mid-request"), echo, { ...options, exposeStderr: true });
	expect(errorOf(shown).message).toContain("Fatal: out of luck");
	expect(failureOf(shown).stderr).toEqual(["Fatal: out of luck"]);
	const hidden = await runStdioRequest(fixture("exits-mid-request"), echo, options);
	expect(JSON.stringify(hidden)).not.toContain("out of luck");
	expect(told.failure.map(({ error }) => error.message)).toEqual([
		expect.stringContaining("Fatal: out of luck"),
		expect.stringContaining("Fatal: out of luck"),
	]);
});

test("lines on stderr carry no id while several requests are in flight", async () => {
	const told = record();
	const options = { lifetime: "environment", observer: told.observer } as const;
	await runStdioRequest(talksOnStderr, callTool("say", { lines: [] }), options);
	const sleeping = runStdioRequest(talksOnStderr, callTool("sleep", { ms: 200 }, { id: 2 }), options);
	await runStdioRequest(talksOnStderr, callTool("say", { lines: ["whose?\n"] }, { id: 3 }), options);
	await sleeping;
	expect(told.stderr.map(({ line, requestId }) => [line, requestId])).toEqual([["whose?", undefined]]);
});

test("a very long line on stderr is cut, and the next one is whole", async () => {
	const told = record();
	const lines = [`${"e".repeat(300_000)}\n`, "next\n"];
	await runStdioRequest(talksOnStderr, callTool("say", { lines }), { standby: 0, observer: told.observer });
	expect(told.stderr).toHaveLength(2);
	expect(told.stderr[0]?.line).toMatch(/^e+ … \(cut\)$/);
	expect(told.stderr[1]?.line).toBe("next");
});

test("each of several observers is told of its own requests only", async () => {
	const [one, other] = [record(), record()];
	const environment = { lifetime: "environment" } as const;
	await Promise.all([
		runStdioRequest(wellBehaved, { ...echo, id: "one" }, { ...environment, observer: one.observer }),
		runStdioRequest(wellBehaved, { ...echo, id: "other" }, { ...environment, observer: other.observer }),
	]);
	expect(one.request.map(({ requestId }) => requestId)).toEqual(["one"]);
	expect(other.answer.map(({ requestId }) => requestId)).toEqual(["other"]);
});

describe("without an observer", () => {
	test("failures go to stderr, a JSON line each, and nothing else does", async () => {
		const written = vi.spyOn(console, "error").mockImplementation(() => {});
		try {
			await runStdioRequest(wellBehaved, echo, { standby: 0 });
			expect(written).not.toHaveBeenCalled();
			await runStdioRequest(fixture("exits-mid-request"), { ...echo, id: "mine" }, { standby: 0 });
			expect(written).toHaveBeenCalledOnce();
			expect(JSON.parse(written.mock.calls[0]?.[0])).toMatchObject({
				level: "ERROR",
				code: "SERVER_EXITED",
				exitCode: 5,
				server: "exits-mid-request.mjs",
				method: "tools/call",
				requestId: "mine",
				stderr: ["Fatal: out of luck"],
			});
			await prewarmStdioServer({ command: "/does/not/exist" }, { standby: 1 });
			expect(JSON.parse(written.mock.lastCall?.[0])).toMatchObject({ code: "SPAWN_FAILED" });
			written.mockClear();
			await runStdioRequest(fixture("exits-mid-request"), echo, { standby: 0, observer: {} });
			expect(written).not.toHaveBeenCalled();
		} finally {
			written.mockRestore();
		}
	});
});

describe("a server is called by", () => {
	test.each([
		["its name", { ...wellBehaved, name: "my server" }, "my server"],
		["the script that an interpreter runs", wellBehaved, "well-behaved.mjs"],
		["its command", { command: "/nowhere/bin/server", args: ["secret"] }, "server"],
		["its package", { command: "npx", args: ["-y", "@scope/server", "secret"], cwd: "/nowhere" }, "@scope/server"],
		[
			"its package, when it is installed",
			{ command: "node", args: ["/nowhere/node_modules/@scope/server/dist/index.js"], cwd: "/nowhere" },
			"@scope/server",
		],
		["no code that stands in its arguments", { command: "node", args: ["-e", "secret()"], cwd: "/nowhere" }, "node"],
	])("%s", async (_, params, server) => {
		const told = record();
		await runStdioRequest(params, callTool("exit"), { standby: 0, observer: told.observer });
		expect(told.failure).toMatchObject([{ server }]);
	});
});

test("messages of the bridge say which server failed and how, and end with what to do", async () => {
	const response = await runStdioRequest(fixture("exits-mid-request"), echo, { standby: 0, observer: {} });
	expect(errorOf(response).message).toMatch(
		/^MCP server exits-mid-request\.mjs exited with code 5 before it answered; /,
	);
});
