import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { type JsonRpcResponse, prewarmStdioServer, runStdioRequest, type StdioServerParams } from "../src/index.ts";
import { prewarmLimitMs } from "../src/prewarm.ts";
import { leaveNothingBehind } from "./support/processes.ts";
import { record } from "./support/recorder.ts";
import { echo, errorOf, failureOf, fixture, lifetimes, textOf } from "./support/servers.ts";

leaveNothingBehind();
afterEach(() => void vi.unstubAllEnvs());

/** A server of one line of JavaScript. */
function program(code: string, more: Partial<StdioServerParams> = {}): StdioServerParams {
	return { command: process.execPath, args: ["--eval", `/* fixtures/servers/ */ ${code}`], name: "it", ...more };
}

const hangs = "setTimeout(() => {}, 60_000); process.stdin.on('end', () => process.exit()).resume();";

async function start(params: StdioServerParams, timeoutMs?: number, exposeStderr = false) {
	const told = record();
	const options = { standby: 0, timeoutMs, exposeStderr, observer: told.observer };
	const response = await runStdioRequest(params, echo, options);
	const error = told.failure.at(-1)?.error;
	if (!error) throw new Error("The start did not fail");
	return { response: response as JsonRpcResponse, message: error.message, stderr: error.stderr, told };
}

describe("a start that fails", () => {
	test("names the line that is the error, not the trailer of the runtime", async () => {
		const { message, response } = await start(program("throw new Error('API_TOKEN is required')"));
		expect(failureOf(response).code).toBe("HANDSHAKE_FAILED");
		expect(message).toContain("exited with code 1 before it answered initialize");
		expect(message).toMatch(/\(on stderr: Error: API_TOKEN is required\)$/);
		expect(errorOf(response).message).not.toContain("API_TOKEN");
	});

	test("keeps the error in front of a long usage", async () => {
		const usage = "for (let i = 1; i < 50; i += 1) console.error('  --flag-' + i + '  does something')";
		const { message, stderr } = await start(program(`console.error("error: no database"); ${usage}; process.exit(2)`));
		expect(message).toContain("(on stderr: error: no database)");
		expect(stderr[0]).toBe("error: no database");
		expect(stderr).toContain("… 20 more lines …");
	});

	test("says what the program wrote on stdout, for it may be no MCP server", async () => {
		const { message, response, told } = await start(program('console.log("Usage: tool <command>"); process.exit(1)'));
		expect(message).toContain('It wrote on stdout: "Usage: tool <command>"; is it an MCP server?');
		expect(JSON.stringify(response)).not.toContain("Usage");
		expect(told.noise).toMatchObject([{ first: true, text: "Usage: tool <command>" }]);
	});

	test("gives its command for the log, without what looks like a secret", async () => {
		const args = [
			"--eval",
			"/* fixtures/servers/ */ process.exit(3)",
			"--",
			"--api-key",
			"s3cr3t",
			"--db=postgres://u:s3cr3t@h/d",
		];
		const { message, response } = await start({ command: process.execPath, args, env: { KEY: "s3cr3t" }, name: "it" });
		expect(message).toContain(`Its command: ${process.execPath} --eval '/* fixtures/servers/ */ process.exit(3)' --`);
		expect(message).toContain("--api-key … --db=postgres://…@h/d");
		expect(message).not.toContain("s3cr3t");
		expect(errorOf(response).message).not.toContain("--eval");
	});

	test("names the log group, where there is one", async () => {
		vi.stubEnv("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/weather");
		const { message } = await start(program("process.exit(1)"));
		expect(message).toContain("this function's log (/aws/lambda/weather)");
	});

	test("says which variable is set on the function and not passed to the server", async () => {
		vi.stubEnv("WEATHER_API_KEY", "s3cr3t");
		const code = "if (!process.env.WEATHER_API_KEY) throw new Error('WEATHER_API_KEY and OTHER_KEY must be set')";
		const { message } = await start(program(code));
		expect(message).toContain(
			"WEATHER_API_KEY is set on this function but not passed to the server: list it in params.inheritEnv",
		);
		expect(message).not.toContain("OTHER_KEY is set");
		expect(message).not.toContain("s3cr3t");
	});
});

describe("a variable that the server names and is not given", () => {
	const says = (text: string, more: Partial<StdioServerParams> = {}) =>
		start(program(`console.error(${JSON.stringify(text)}); process.exit(1)`, more));
	const hint = (name: string) => `${name} is set on this function but not passed to the server`;

	test.each(["FOO is not defined", "KeyError: 'FOO'", "set FOO=... first", "env.FOO: required", "process.env.FOO"])(
		"is told of for %j",
		async (text) => {
			vi.stubEnv("FOO", "s3cr3t");
			const { message } = await says(text);
			expect(message).toContain(hint("FOO"));
			expect(message).not.toContain("s3cr3t");
		},
	);

	test("is told of when the name is on stdout, or in small letters", async () => {
		vi.stubEnv("https_proxy", "http://proxy");
		vi.stubEnv("FOO", "s3cr3t");
		const { message } = await start(
			program('console.log("FOO is missing"); console.error("https_proxy is missing"); process.exit(1)'),
		);
		expect(message).toContain(hint("FOO"));
		expect(message).toContain(hint("https_proxy"));
	});

	test.each<[string, Partial<StdioServerParams>]>([
		["in env", { env: { FOO: "" } }],
		["in a list", { inheritEnv: ["FOO"] }],
		["with all", { inheritEnv: "all" }],
	])("is not told of when it was given %s", async (_, more) => {
		vi.stubEnv("FOO", "s3cr3t");
		expect((await says("FOO is not defined", more)).message).not.toContain("is set on this function");
	});

	test("is not told of for what is not set, nor for a part of a longer name", async () => {
		vi.stubEnv("FOO", "s3cr3t");
		const { message } = await says("FOOD, MY_FOO and foo are not defined");
		expect(message).not.toContain("is set on this function");
	});

	test.each([
		"AWS_REGION must be set",
		"CredentialsProviderError: Could not load credentials from any providers",
		"botocore.exceptions.NoCredentialsError: Unable to locate credentials",
		"botocore.exceptions.NoRegionError: You must specify a region.",
		"Error: Region is missing",
	])("is one of AWS's for %j", async (text) => {
		vi.stubEnv("AWS_REGION", "eu-central-1");
		const { message } = await says(text);
		expect(message).toContain('It gets no AWS credentials and region: set params.inheritEnv to "aws"');
		expect(message).not.toContain("AWS_REGION is set on");
		expect((await says(text, { inheritEnv: "aws" })).message).not.toContain("It gets no AWS credentials");
	});
});

test("a crash loop says what the start that failed said", async () => {
	vi.stubEnv("FOO", "s3cr3t");
	const params = program("throw new Error('FOO is required')");
	for (let death = 0; death < 3; death += 1) await start(params);
	const { message, response } = await start(params);
	expect(failureOf(response).code).toBe("CRASH_LOOP");
	expect(message).toContain("FOO is set on this function but not passed to the server");
	expect(message).toContain(`Its command: ${process.execPath} --eval`);
	expect(message).toMatch(/\(on stderr: Error: FOO is required\)$/);
	expect(errorOf(response).message).not.toContain("FOO");
});

describe("a start that hangs", () => {
	test("says what is on stderr and stdout, its command, and what to try", async () => {
		const params = program(`console.error("Listening on port 3000"); console.log("Server ready"); ${hangs}`);
		const { message, stderr, response } = await start(params, 1500);
		expect(failureOf(response)).toMatchObject({ code: "TIMEOUT", phase: "initialize" });
		expect(message).toMatch(/had not answered initialize within 1500 ms; allow more time or memory, or prewarm it\. /);
		expect(message).toContain("Does it speak MCP over stdio? Some servers need an argument for that");
		expect(message).toContain('It wrote on stdout: "Server ready"; is it an MCP server? Its command: ');
		expect(message).toContain("(last line on stderr: Listening on port 3000)");
		expect(stderr).toEqual(["Listening on port 3000"]);
		expect(JSON.stringify(response)).not.toMatch(/Listening|Server ready/);
	});

	test("says so to the caller of initialize as well, with its stderr where that is exposed", async () => {
		const told = record();
		const params = program(`console.error("Connecting to the database"); ${hangs}`);
		const request = {
			jsonrpc: "2.0",
			id: 1,
			method: "initialize",
			params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "a", version: "1" } },
		};
		const options = { standby: 0, timeoutMs: 1500, exposeStderr: true, observer: told.observer };
		const response = (await runStdioRequest(params, request, options)) as JsonRpcResponse;
		expect(failureOf(response)).toMatchObject({ code: "TIMEOUT", stderr: ["Connecting to the database"] });
		expect(errorOf(response).message).toContain("(last line on stderr: Connecting to the database)");
	});

	test("is not told to prewarm what was prewarmed", async () => {
		vi.stubEnv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");
		const params = program(hangs);
		vi.spyOn(performance, "now").mockReturnValueOnce(9500);
		const error = await prewarmStdioServer(params, { observer: {} });
		expect(error).toMatchObject({ code: "TIMEOUT" });
		const { message } = await start(params, 300);
		expect(message).toContain("allow more time or memory. Does it speak");
		vi.restoreAllMocks();
	});
});

describe("prewarming", () => {
	test.each([
		["in INIT, what is left of nine seconds", "on-demand", 1500, 7500],
		["late in INIT, nothing", "on-demand", 9800, 0],
		["after INIT, nine seconds from the call", "on-demand", 3_600_000, 9000],
		["outside of Lambda, nine seconds", undefined, 1500, 9000],
		["where INIT may take longer, two minutes", "provisioned-concurrency", 1500, 120_000],
		["in SnapStart, two minutes", "snap-start", 1500, 120_000],
		["in Managed Instances, two minutes", "lambda-managed-instances", 50_000, 120_000],
	])("has, %s", (_, type, age, limit) => {
		expect(prewarmLimitMs(type, age)).toBe(limit);
	});

	test.each(lifetimes)("starts what it has no time to wait for, in the lifetime %s", async (lifetime) => {
		vi.stubEnv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");
		const told = record();
		const options = { lifetime, standby: 1, observer: told.observer };
		vi.spyOn(performance, "now").mockReturnValueOnce(9500);
		const error = await prewarmStdioServer(fixture("well-behaved"), options);
		vi.restoreAllMocks();
		expect(error).toMatchObject({ code: "TIMEOUT", data: { phase: "initialize" } });
		expect(textOf(await runStdioRequest(fixture("well-behaved"), echo, options))).toBe("Echo: hello");
		expect(told.request[0]).toMatchObject({
			pid: told.spawn[0]?.pid,
			source: lifetime === "environment" ? "kept" : "fresh",
		});
	});
});

describe("a command that is not there", () => {
	test.each([
		["npx", "deploy the server's package and name it with npmServer or fromHostConfig"],
		["uvx", "deploy the server's package and name it with pythonServer or fromHostConfig"],
		["none server.js --x", 'they go in params.args: write command "none" and the rest in params.args'],
		["npx -y mcp-server-none", "they go in params.args: npx installs at run time"],
		["/usr/none/uvx", "name it with pythonServer or fromHostConfig"],
		["none", "check params.command and PATH"],
	])("%s: the error says %s", async (command, advice) => {
		vi.stubEnv("PATH", "/nowhere");
		const { response } = await start({ command });
		expect(failureOf(response).code).toBe("SPAWN_FAILED");
		expect(errorOf(response).message).toContain(advice);
	});
});

test("arguments that stand in the command are in no message", async () => {
	const { message, response } = await start({ command: "none server.js --token s3cr3t/s3cr3t" });
	expect(failureOf(response).code).toBe("SPAWN_FAILED");
	expect(message).toContain("MCP server none could not be started: none … was not found");
	expect(message + JSON.stringify(response)).not.toContain("s3cr3t");
});

describe("a file that cannot be run", () => {
	const folder = mkdtempSync(join(tmpdir(), "failing-starts-"));
	afterAll(() => rmSync(folder, { recursive: true }));
	const file = (name: string, content: string | Buffer): string => {
		writeFileSync(join(folder, name), content, { mode: 0o755 });
		return name;
	};
	const header = (machine: number): Buffer => {
		const elf = Buffer.alloc(200);
		elf.write("7f454c46020101", "hex");
		elf.writeUInt16LE(2, 16);
		elf.writeUInt16LE(machine, 18);
		return elf;
	};

	test.each([
		["no interpreter", file("no-interpreter", "#!/no/such/interpreter\n")],
		["a carriage return behind its interpreter", file("crlf", "#!/bin/sh\r\necho\r\n")],
	])("for it has %s: the error says what to write", async (_, name) => {
		const { response } = await start({ command: `./${name}`, cwd: folder });
		expect(failureOf(response).code).toBe("SPAWN_FAILED");
		expect(errorOf(response).message).toContain(`./${name} is there, and the interpreter that its first line names`);
		expect(errorOf(response).message).toContain("start it with its interpreter as params.command");
	});

	test("for it is named without its folder: the error says what to write", async () => {
		const { response } = await start({ command: file("beside.js", "1"), cwd: folder });
		expect(errorOf(response).message).toContain("the file of that name beside it is ./beside.js");
	});

	test("for its folder is named like a command: the error speaks of PATH", async () => {
		const { response } = await start({ command: "failing-folder-name", cwd: folder });
		expect(errorOf(response).message).toContain("check params.command and PATH");
	});

	test.runIf(process.platform === "linux").each([
		["another processor", header(process.arch === "arm64" ? 62 : 183), process.arch === "arm64" ? "x64" : "arm64"],
		["macOS", Buffer.concat([Buffer.from("cffaedfe", "hex"), Buffer.alloc(60)]), "macOS"],
	])("for it is built for %s: the log says so", async (_, content, built) => {
		const name = file(`built-for-${built}`, content);
		const { message } = await start({ command: `./${name}`, cwd: folder });
		expect(message).toContain(
			`./${name} is built for ${built}, and this function runs on linux ${process.arch}: deploy the build for that`,
		);
	});
});

test.each(["python3.13", "python"])(
	"%s that is not there: the error says that the runtime has none",
	async (command) => {
		vi.stubEnv("PATH", "/nowhere");
		expect(errorOf((await start({ command })).response).message).toContain("name the server with pythonServer");
	},
);
