import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { closeStdioServers, type JsonRpcResponse, runStdioRequest, type StdioServerParams } from "../src/index.ts";
import { leaveNothingBehind, ownServer, until } from "./support/processes.ts";
import { record, silent } from "./support/recorder.ts";
import {
	callTool,
	echo,
	errorOf,
	failureOf,
	fixture,
	inlineFixture,
	jsonOf,
	lifetimes,
	pid,
	textOf,
} from "./support/servers.ts";

leaveNothingBehind(afterAll);

const folder = mkdtempSync(join(tmpdir(), "misbehaviour-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The text of the answer, or what is known about the failure. */
type Outcome = string | { readonly error: object };

type Case = {
	readonly server: string;
	readonly args?: readonly string[];
	readonly request?: object;
	readonly params?: Partial<StdioServerParams>;
	readonly timeoutMs?: number;
	readonly outcome: Outcome;
};

const failsWith = (code: string, phase: string, facts: object = {}): Outcome => ({
	error: { code: -32603, data: { code, phase, ...facts } },
});
const refusal = { code: -32601, message: expect.stringContaining("Method not found") };
const hello = "Echo: hello";
const answered: Case[] = [
	{ server: "well-behaved", outcome: hello },
	{ server: "slow-initialize", args: ["300"], outcome: hello },
	{ server: "no-version-in-initialize", args: ["unsupported"], outcome: hello },
	{ server: "gates-initialize", outcome: hello },
	{ server: "wrapper", outcome: hello },
	{ server: "wrapper", args: ["ignores-sigterm"], outcome: hello },
	{ server: "hangs-busy", outcome: hello },
	{ server: "exits-after-answer", outcome: hello },
	{ server: "exits-when-idle", outcome: hello },
	{ server: "ignores-eof", outcome: hello },
	{ server: "ignores-sigterm", outcome: hello },
	{ server: "leaves-grandchild", outcome: hello },
	{ server: "leaves-chatty-grandchild", outcome: failsWith("SERVER_EXITED", "request", { exitCode: 7 }) },
	{ server: "leaves-detached-grandchild", outcome: hello },
	{ server: "leaves-detached-grandchild", args: ["ignored"], outcome: hello },
	{ server: "noise-on-stdout", outcome: hello },
	{ server: "noise-on-stdout", request: callTool("glued"), outcome: "lost" },
	{ server: "megabyte-line", request: callTool("payload"), outcome: expect.stringMatching(/^x+$/) },
	{
		server: "megabyte-line",
		request: callTool("payload", { bytes: 20_000_000 }),
		outcome: expect.stringMatching(/^x+$/),
	},
	{
		server: "split-utf8",
		request: callTool("unicode"),
		outcome: expect.stringContaining("世界, 👩‍👩‍👧‍👦, \u0085\u2028\u2029"),
	},
	{ server: "split-utf8", args: ["bytes"], outcome: hello },
	{ server: "thousands-of-chunks", request: callTool("payload", { bytes: 8000 }), outcome: "x".repeat(8000) },
	{ server: "many-in-one-chunk", outcome: hello },
	{ server: "crlf", outcome: hello },
	{ server: "batch", outcome: hello },
	{ server: "floods-stderr", outcome: hello },
	{ server: "answers-twice", outcome: hello },
	{ server: "answers-late", outcome: hello },
	{ server: "unknown-id", outcome: hello },
	{ server: "string-id", outcome: hello },
	{ server: "out-of-order", outcome: hello },
	{ server: "pings", outcome: hello },
	{ server: "duplicate-ids", outcome: hello },
	{ server: "asks-for-sampling", outcome: expect.stringContaining('"code":-32601') },
	{ server: "sends-progress", outcome: hello },
	{ server: "sends-foreign-progress", outcome: hello },
	{ server: "logs-before-answer", outcome: hello },
];
const failing: Case[] = [
	{ server: "exits-at-once", outcome: failsWith("HANDSHAKE_FAILED", "initialize", { exitCode: 1 }) },
	{
		server: "exits-until-flag",
		args: [join(folder, "none")],
		outcome: failsWith("HANDSHAKE_FAILED", "initialize", { exitCode: 1 }),
	},
	{ server: "exits-on-initialize", outcome: failsWith("HANDSHAKE_FAILED", "initialize", { exitCode: 7 }) },
	{ server: "initialize-error", outcome: failsWith("HANDSHAKE_FAILED", "initialize") },
	...["missing", "string", "null", "array", "number"].map((flaw) => ({
		server: "no-version-in-initialize",
		args: [flaw],
		outcome: failsWith("HANDSHAKE_FAILED", "initialize"),
	})),
	{ server: "never-answers-initialize", timeoutMs: 800, outcome: failsWith("TIMEOUT", "initialize") },
	{ server: "silent-until-eof", timeoutMs: 800, outcome: failsWith("TIMEOUT", "initialize") },
	{ server: "never-answers", timeoutMs: 2000, outcome: failsWith("TIMEOUT", "request") },
	{ server: "never-reads", timeoutMs: 2000, outcome: failsWith("TIMEOUT", "request") },
	{ server: "hangs-busy", request: callTool("hang"), timeoutMs: 2000, outcome: failsWith("TIMEOUT", "request") },
	{ server: "closes-stdin", outcome: failsWith("SERVER_EXITED", "request", { attempts: 2 }) },
	{ server: "closes-stdout", outcome: failsWith("SERVER_EXITED", "request", { attempts: 1 }) },
	{ server: "null-id-error", outcome: { error: { code: -32600, message: "Invalid request" } } },
	{ server: "exits-mid-request", outcome: failsWith("SERVER_EXITED", "request", { exitCode: 5, attempts: 1 }) },
	{
		server: "exits-mid-request",
		args: ["partial"],
		outcome: failsWith("SERVER_EXITED", "request", { exitCode: 5, attempts: 1 }),
	},
	{ server: "killed-mid-request", outcome: failsWith("SERVER_EXITED", "request", { signal: "SIGKILL" }) },
	{ server: "stderr-without-newline", outcome: failsWith("SERVER_EXITED", "request", { exitCode: 1 }) },
	{ server: "wrapper", args: ["exits-mid-request"], outcome: failsWith("SERVER_EXITED", "request", { exitCode: 5 }) },
	{
		server: "endless-line",
		params: { maxMessageBytes: 1_000_000 },
		outcome: failsWith("MESSAGE_TOO_LARGE", "request"),
	},
	{
		server: "well-behaved",
		request: callTool("exit", { signal: "SIGTERM" }),
		outcome: failsWith("SERVER_EXITED", "request", { signal: "SIGTERM", exitCode: null }),
	},
];

describe.concurrent.each(lifetimes)("in the lifetime %s", (lifetime) => {
	test.each(
		[...answered, ...failing].map((each) => ({ args: [], request: echo, timeoutMs: 15_000, params: {}, ...each })),
	)(
		"$server $args is answered in time, and leaves no process",
		async ({ server, args, request, params: extra, timeoutMs, outcome }) => {
			const { params, left } = ownServer({ ...fixture(server, ...args), ...extra });
			const startedAt = performance.now();
			const response = await runStdioRequest(params, request, {
				lifetime,
				standby: 0,
				timeoutMs,
				observer: silent,
			});
			expect(performance.now() - startedAt).toBeLessThan(timeoutMs + 3000);
			expect(response).toMatchObject({ jsonrpc: "2.0", id: 1 });
			if (typeof outcome === "object" && "error" in outcome) expect(response).toMatchObject(outcome);
			else expect(textOf(response)).toEqual(outcome);

			if (lifetime === "request") await until("nothing is left", () => left().length === 0);
			await closeStdioServers(params);
			expect(left()).toEqual([]);
		},
	);

	test("a server's own requests are refused with -32601, so that it does not hang", async () => {
		const { params } = ownServer(fixture("asks-for-everything"));
		expect(jsonOf(await runStdioRequest(params, echo, { lifetime, standby: 0 }))).toEqual({
			"roots/list": refusal,
			"elicitation/create": refusal,
			"sampling/createMessage": refusal,
			"fixture/unknown": refusal,
		});
		await closeStdioServers(params);
	});
});

describe("a line over maxMessageBytes", () => {
	test.each(lifetimes)("fails one request, and not one that just fits, in the lifetime %s", async (lifetime) => {
		const { params } = ownServer({ ...fixture("megabyte-line"), maxMessageBytes: 100_000 });
		const options = { lifetime, standby: 0, observer: silent };
		const ask = (bytes: number) => runStdioRequest(params, callTool("payload", { bytes }), options);
		expect(textOf(await ask(100_000))).toMatch(/^x+$/);
		const tooLarge = await ask(100_001);
		expect(failureOf(tooLarge)).toMatchObject({ code: "MESSAGE_TOO_LARGE", phase: "request" });
		expect(errorOf(tooLarge).message).toMatch(/more than 100000 bytes; raise params.maxMessageBytes/);
		expect(textOf(await ask(99_999))).toMatch(/^x+$/);
		await closeStdioServers(params);
	});

	test("fails only the request that it answers, and the kept process goes on serving", async () => {
		const params = { ...fixture("well-behaved"), maxMessageBytes: 100_000 };
		const options = { lifetime: "environment", observer: silent } as const;
		const before = textOf(await runStdioRequest(params, pid, options));
		const others = [10, 200, 400].map((ms) => runStdioRequest(params, callTool("sleep", { ms }), options));
		const large = [200_000, 3_000_000].map((bytes) => runStdioRequest(params, callTool("payload", { bytes }), options));
		for (const response of await Promise.all(large)) expect(failureOf(response).code).toBe("MESSAGE_TOO_LARGE");
		expect((await Promise.all(others)).map(textOf)).toEqual(["Slept 10 ms", "Slept 200 ms", "Slept 400 ms"]);
		expect(textOf(await runStdioRequest(params, pid, options))).toBe(before);
		await closeStdioServers(params);
	});

	test("that answers a request which was given up fails no other", async () => {
		const params = {
			...inlineFixture(`serve({ tools: { late: () => never }, cancelled: ({ id }) => {
				setTimeout(send, 100, { jsonrpc: "2.0", id, result: text("x".repeat(200_000)) });
			} });`),
			maxMessageBytes: 100_000,
		};
		const options = { lifetime: "environment", observer: silent } as const;
		await runStdioRequest(params, echo, options);
		const late = runStdioRequest(params, callTool("late"), { ...options, timeoutMs: 100 });
		const sleeping = runStdioRequest(params, callTool("sleep", { ms: 600 }), options);
		expect(failureOf(await late).code).toBe("TIMEOUT");
		expect(textOf(await sleeping)).toBe("Slept 600 ms");
		await closeStdioServers(params);
	});

	test("without an end fails the request as soon as the line is too long", async () => {
		const { params } = ownServer({ ...fixture("endless-line"), maxMessageBytes: 100_000 });
		for (const lifetime of lifetimes) {
			const response = await runStdioRequest(params, echo, { lifetime, standby: 0, observer: silent });
			expect(failureOf(response).code).toBe("MESSAGE_TOO_LARGE");
		}
		await closeStdioServers(params);
	});
});

describe("a server that reads slowly or not at all", () => {
	const megabyte = "m".repeat(2 ** 20);

	test("gets fifty requests of a megabyte each, all answered", async () => {
		const params = inlineFixture(`
			const lock = new Int32Array(new SharedArrayBuffer(4));
			serve({
				before: () => Atomics.wait(lock, 0, 0, 5),
				tools: { measure: ({ name, message }) => name + " " + message.length },
			});`);
		const responses = await Promise.all(
			Array.from({ length: 50 }, (_, name) =>
				runStdioRequest(params, callTool("measure", { name, message: megabyte }, { id: "same" }), {
					lifetime: "environment",
					timeoutMs: 20_000,
				}),
			),
		);
		expect(responses.map(textOf)).toEqual(Array.from({ length: 50 }, (_, name) => `${name} 1048576`));
		await closeStdioServers(params);
	});

	test.each(lifetimes)("keeps nobody who aborts, in the lifetime %s", async (lifetime) => {
		const { params } = ownServer(fixture("never-reads"));
		const told = record();
		const controller = new AbortController();
		const big = callTool("echo", { message: megabyte });
		const responses = [0, 1, 2].map((id) =>
			runStdioRequest(
				params,
				{ ...big, id },
				{
					lifetime,
					standby: 0,
					signal: controller.signal,
					observer: told.observer,
				},
			),
		);
		await until("all requests are on their way", () => told.request.length === 3);
		controller.abort(new Error("Enough"));
		for (const [id, response] of (await Promise.all(responses)).entries()) {
			expect(response).toMatchObject({ id, error: { data: { code: "ABORTED", phase: "request" } } });
		}
		await until("the server is given up", () => told.exit.length === told.spawn.length);
		expect(told.exit[0]?.reason).toBe(lifetime === "environment" ? "silent" : "cancelled");
		await closeStdioServers(params);
	});

	test("is given up when it has closed its input, and the request goes to one other process", async () => {
		const { params } = ownServer(fixture("closes-stdin"));
		const told = record();
		const options = { lifetime: "environment", observer: told.observer } as const;
		const response = await runStdioRequest(params, echo, options);
		expect(errorOf(response).message).toContain("closed its input (stdin) before the request was sent");
		expect(failureOf(response)).toMatchObject({ code: "SERVER_EXITED", attempts: 2 });
		expect(told.spawn).toHaveLength(2);
		await until("both are gone", () => told.exit.length === 2);
		await closeStdioServers(params);
	});

	test("is tried once more when it died unnoticed before the request could be written", async () => {
		const stays = join(folder, "stays");
		const params = inlineFixture(`
			import { closeSync, existsSync, writeFileSync } from "node:fs";
			const stays = existsSync(${JSON.stringify(stays)});
			writeFileSync(${JSON.stringify(stays)}, "");
			serve(stays ? {} : { methods: { initialize: async (params) => {
				await new Promise((resolve) => process.stdin.once("close", resolve).destroy());
				closeSync(0);
				return initialize(params);
			} } });`);
		const response = await runStdioRequest(params, echo, { lifetime: "environment", observer: silent });
		expect(textOf(response)).toBe(hello);
		await closeStdioServers(params);
	});
});

describe("a server that cannot be started", () => {
	const plainFile = join(folder, "plain-file");
	writeFileSync(plainFile, "not executable", { mode: 0o644 });

	test.each<[string, StdioServerParams, RegExp]>([
		[
			"no such path",
			{ command: join(folder, "none") },
			/none was not found \(ENOENT\); check params\.command and PATH/,
		],
		["no such name on PATH", { command: "no-such-command" }, /no-such-command was not found \(ENOENT\); check/],
		["a file without execute permission", { command: plainFile }, /may not be executed \(EACCES\); check its mode/],
		["a folder", { command: folder }, /may not be executed \(EACCES\); check its mode and that it is not a folder/],
		["a missing cwd", { ...fixture("well-behaved"), cwd: join(folder, "no") }, /no does not exist .*check params\.cwd/],
		["a cwd that is a file", { ...fixture("well-behaved"), cwd: plainFile }, /check params\.cwd/],
		["a cwd that is too long", { ...fixture("well-behaved"), cwd: `/${"x".repeat(300)}` }, /could not be started/],
		[
			"too long an environment",
			{ ...fixture("well-behaved"), env: { BIG: "x".repeat(3_000_000) } },
			/too long together \(E2BIG\); pass less in params\.args and params\.env/,
		],
		[
			"too long an argument",
			fixture("well-behaved", "x".repeat(200_000)),
			/too long together \(E2BIG\); pass less in params\.args and params\.env/,
		],
		[
			"too long a first argument",
			{ ...fixture("well-behaved"), args: ["x".repeat(131_100)] },
			/too long together \(E2BIG\); pass less in params\.args and params\.env/,
		],
	])("gives SPAWN_FAILED and says what to do: %s", async (_, params, message) => {
		for (const lifetime of lifetimes) {
			const told = record();
			const response: JsonRpcResponse | undefined = await runStdioRequest(params, echo, {
				lifetime,
				observer: told.observer,
			});
			expect(response).toMatchObject({
				id: 1,
				error: { code: -32603, data: { code: "SPAWN_FAILED", phase: "spawn" } },
			});
			expect(errorOf(response).message).toMatch(message);
			expect(told.failure.at(-1)?.error.cause).toBeInstanceOf(Error);
			expect(told.spawn).toEqual([]);
		}
		await closeStdioServers(params);
	});
});
