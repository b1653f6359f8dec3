import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { prewarmStdioServer, runStdioRequest, type StdioServerParams } from "../src/index.ts";
import { leaveNothingBehind, until } from "./support/processes.ts";
import { record } from "./support/recorder.ts";
import { callTool, fixture, jsonOf, lifetimes, pid, textOf } from "./support/servers.ts";

leaveNothingBehind();

const folder = realpathSync(mkdtempSync(join(tmpdir(), "child-environment-")));
afterAll(() => rmSync(folder, { recursive: true }));

const hostEnvironment = {
	LANG: "de_DE.UTF-8",
	TZ: "Europe/Berlin",
	NODE_EXTRA_CA_CERTS: "/nowhere/ca.pem",
	AWS_ACCESS_KEY_ID: "AKIATEST",
	AWS_SECRET_ACCESS_KEY: "secret",
	AWS_SESSION_TOKEN: "token 1",
	AWS_REGION: "eu-central-1",
	AWS_LAMBDA_RUNTIME_API: "127.0.0.1:9001",
	AWS_LAMBDA_FUNCTION_NAME: "my-function",
	NODE_OPTIONS: "--no-warnings",
	LD_PRELOAD: "",
	DATABASE_PASSWORD: "hunter2",
	_X_AMZN_TRACE_ID: "Root=1-5759e988-bd862e3fe1be46a994272793",
};

beforeEach(() => {
	for (const [name, value] of Object.entries(hostEnvironment)) vi.stubEnv(name, value);
});
afterEach(() => {
	vi.unstubAllEnvs();
});

const server = (extra: Partial<StdioServerParams> = {}): StdioServerParams => ({
	...fixture("well-behaved"),
	...extra,
});

const environmentOf = async (params: StdioServerParams, options = {}): Promise<Record<string, string>> =>
	jsonOf(await runStdioRequest(params, callTool("environment"), { standby: 0, ...options }));

const writableFolders = { HOME: expect.any(String), TMPDIR: tmpdir(), XDG_CACHE_HOME: expect.any(String) };
const always = {
	PATH: process.env.PATH,
	LANG: "de_DE.UTF-8",
	TZ: "Europe/Berlin",
	NODE_EXTRA_CA_CERTS: "/nowhere/ca.pem",
	...writableFolders,
	npm_config_cache: expect.any(String),
	MCP_STDIO_LAMBDA_PROCESS: expect.stringMatching(`^${process.pid}-`),
};
const credentials = {
	AWS_ACCESS_KEY_ID: "AKIATEST",
	AWS_SECRET_ACCESS_KEY: "secret",
	AWS_SESSION_TOKEN: "token 1",
	AWS_REGION: "eu-central-1",
};
const dangerous = ["AWS_LAMBDA_RUNTIME_API", "NODE_OPTIONS", "LD_PRELOAD"];

const without = (environment: Record<string, string>, ...names: string[]) =>
	Object.fromEntries(Object.entries(environment).filter(([name]) => !names.includes(name)));

describe("a server sees", () => {
	beforeEach(() => {
		vi.stubEnv("LD_LIBRARY_PATH", undefined);
	});

	test("the default list and nothing else", async () => {
		expect(without(await environmentOf(server()), "_X_AMZN_TRACE_ID")).toEqual(always);
	});

	test("credentials and region when it inherits aws", async () => {
		const environment = await environmentOf(server({ inheritEnv: "aws" }), { lifetime: "environment" });
		expect(environment).toMatchObject({ ...always, ...credentials });
		expect(environment).not.toHaveProperty("DATABASE_PASSWORD");
		expect(environment).not.toHaveProperty("AWS_LAMBDA_FUNCTION_NAME");
	});

	test("the variables that a list names, as far as they exist", async () => {
		const inheritEnv = ["DATABASE_PASSWORD", "AWS_REGION", "NO_SUCH_VARIABLE"];
		expect(await environmentOf(server({ inheritEnv }), { lifetime: "environment" })).toEqual({
			...always,
			DATABASE_PASSWORD: "hunter2",
			AWS_REGION: "eu-central-1",
		});
	});

	test("everything but what is dangerous when it inherits all", async () => {
		const environment = await environmentOf(server({ inheritEnv: "all" }), { lifetime: "environment" });
		const mine = without(process.env as Record<string, string>, ...dangerous, "_X_AMZN_TRACE_ID");
		expect(environment).toEqual({ ...mine, ...always });
	});

	test("env over everything that it inherits", async () => {
		const env = {
			TZ: "UTC",
			PATH: "/nowhere",
			HOME: "/nowhere",
			AWS_REGION: "us-east-1",
			EMPTY: "",
			"with space": "$HOME",
		};
		for (const inheritEnv of ["aws", "all", ["TZ", "AWS_REGION"]] as const) {
			expect(await environmentOf(server({ inheritEnv, env }))).toMatchObject(env);
		}
	});

	test.each([undefined, "aws", "all", ["TZ"]] as const)(
		"nothing dangerous, when it inherits %j",
		async (inheritEnv) => {
			const environment = await environmentOf(server({ inheritEnv }));
			for (const name of dangerous) expect(environment).not.toHaveProperty(name);
		},
	);

	test("what is dangerous only when env names it", async () => {
		const env = { AWS_LAMBDA_RUNTIME_API: "asked:1", NODE_OPTIONS: "--no-deprecation" };
		expect(await environmentOf(server({ env }))).toMatchObject(env);
	});

	test("folders that it can write to, though HOME is none", async () => {
		for (const name of ["XDG_CACHE_HOME", "npm_config_cache"]) vi.stubEnv(name, undefined);
		for (const home of ["/home/sbx_user1051", undefined]) {
			vi.stubEnv("HOME", home);
			const environment = await environmentOf(server({ env: { CASE: `${home}` } }));
			expect(environment).toMatchObject({ HOME: tmpdir(), TMPDIR: tmpdir(), XDG_CACHE_HOME: join(tmpdir(), ".cache") });
			expect(environment.npm_config_cache).toBe(join(tmpdir(), ".npm"));
		}
		vi.unstubAllEnvs();
		expect((await environmentOf(server())).HOME).toBe(process.env.HOME ?? homedir());
	});

	test("the X-Ray id of the request for which it was started, and no other", async () => {
		const told = record();
		const traced = async (options: object) =>
			(await environmentOf(server(), { observer: told.observer, ...options }))._X_AMZN_TRACE_ID;
		expect(await traced({ standby: 0 })).toBe(hostEnvironment._X_AMZN_TRACE_ID);
		vi.stubEnv("_X_AMZN_TRACE_ID", "Root=2");
		expect(await traced({ standby: 0 })).toBe("Root=2");
		await prewarmStdioServer(server(), { standby: 1, observer: told.observer });
		expect(await traced({ standby: 1 })).toBeUndefined();
		expect(told.request.at(-1)?.source).toBe("standby");
		expect(await traced({ lifetime: "environment" })).toBeUndefined();
	});
});

describe.each(lifetimes)("credentials, in the lifetime %s,", (lifetime) => {
	const options = { lifetime, standby: 1 };
	const token = callTool("environment", { name: "AWS_SESSION_TOKEN" });

	test.each([["aws"], ["all"], [["AWS_SESSION_TOKEN"]]] as const)("are fresh: inherited by %j", async (inheritEnv) => {
		const told = record();
		const params = server({ inheritEnv });
		await prewarmStdioServer(params, options);
		const ask = async () => jsonOf(await runStdioRequest(params, token, { ...options, observer: told.observer }));
		expect(await ask()).toBe("token 1");
		await until("no standby is about to start", () => lifetime === "environment" || told.ready.length > 0);
		vi.stubEnv("AWS_SESSION_TOKEN", "token 2");
		expect(await ask()).toBe("token 2");
		await until("the process with the old ones is gone", () => told.exit.some(({ reason }) => reason === "stale"));
		expect(await ask()).toBe("token 2");
	});

	test("that change do not matter to a server that does not inherit them", async () => {
		const told = record();
		await prewarmStdioServer(server(), { ...options, observer: told.observer });
		const waiting = told.spawn[0]?.pid;
		vi.stubEnv("AWS_SESSION_TOKEN", "token 2");
		expect(Number(textOf(await runStdioRequest(server(), pid, options)))).toBe(waiting);
	});
});

test("a request that runs when credentials change is answered by the process that it began on", async () => {
	const told = record();
	const params = server({ inheritEnv: "aws" });
	const options = { lifetime: "environment", observer: told.observer } as const;
	const before = textOf(await runStdioRequest(params, pid, options));
	const running = runStdioRequest(params, callTool("sleep", { ms: 400 }), options);
	await until("it runs", () => told.request.length === 2);
	vi.stubEnv("AWS_SESSION_TOKEN", "token 2");
	const after = textOf(await runStdioRequest(params, pid, options));
	expect(after).not.toBe(before);
	expect(textOf(await running)).toBe("Slept 400 ms");
	await until("the old process is gone", () => told.exit.length === 1);
	expect(told.exit).toMatchObject([{ pid: Number(before), reason: "stale" }]);
});

test("no shell is involved: arguments arrive as they are", async () => {
	const canary = join(folder, "canary");
	const args = [
		"with space",
		`$(touch ${canary})`,
		`\`touch ${canary}\``,
		`; touch ${canary}`,
		`| touch ${canary}`,
		`&& touch ${canary}`,
		"$HOME",
		"*",
		"~",
		"'",
		'"',
		"\\",
		"",
		"line\nbreak",
		"ünï 👩‍👩‍👧‍👦",
		"--",
	];
	expect(jsonOf(await runStdioRequest(fixture("well-behaved", ...args), callTool("args"), { standby: 0 }))).toEqual(
		args,
	);
	expect(existsSync(canary)).toBe(false);
});

test("a server runs in cwd, or else in this process's folder", async () => {
	const cwd = async (params: StdioServerParams) =>
		textOf(await runStdioRequest(params, callTool("cwd"), { standby: 0 }));
	expect(await cwd(server({ cwd: folder }))).toBe(folder);
	expect(await cwd(server())).toBe(process.cwd());
});

test("a command without a path is looked up on PATH", async () => {
	const params = { ...server(), command: "node" };
	expect(textOf(await runStdioRequest(params, callTool("echo", { message: 1 }), { standby: 0 }))).toBe("Echo: 1");
});
