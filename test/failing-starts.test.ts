import { afterEach, describe, expect, test, vi } from "vitest";
import { type JsonRpcResponse, prewarmStdioServer, runStdioRequest, type StdioServerParams } from "../src/index.ts";
import { prewarmLimitMs } from "../src/prewarm.ts";
import { leaveNothingBehind } from "./support/processes.ts";
import { record } from "./support/recorder.ts";
import { echo, errorOf, failureOf } from "./support/servers.ts";

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
			"WEATHER_API_KEY is set on this function and not passed to the server: name it in params.inheritEnv",
		);
		expect(message).not.toContain("OTHER_KEY is set");
		expect(message).not.toContain("s3cr3t");
	});
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
});

describe("a command that is not there", () => {
	test.each([
		["npx", "deploy the server's package and name it with npmServer or fromHostConfig"],
		["uvx", "deploy the server's package and name it with pythonServer or fromHostConfig"],
		["none server.js --x", 'write command "none" and the rest in params.args'],
		["none", "check params.command and PATH"],
	])("%s: the error says %s", async (command, advice) => {
		vi.stubEnv("PATH", "/nowhere");
		const { response } = await start({ command });
		expect(failureOf(response).code).toBe("SPAWN_FAILED");
		expect(errorOf(response).message).toContain(advice);
	});
});
