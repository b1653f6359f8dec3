import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { pythonServer, runStdioRequest } from "../../src/index.ts";
import { leaveNothingBehind } from "../support/processes.ts";
import { callTool, textOf } from "../support/servers.ts";

leaveNothingBehind();
afterEach(() => void vi.unstubAllEnvs());

const root = realpathSync(mkdtempSync(join(tmpdir(), "python-server-")));
afterAll(() => rmSync(root, { recursive: true }));

/** A file that could be an interpreter; nothing here runs it. */
function interpreter(path: string): string {
	const file = join(root, path);
	mkdirSync(dirname(file), { recursive: true });
	writeFileSync(file, "#!/bin/sh\n", { mode: 0o755 });
	return file;
}

const from = join(root, "function");
mkdirSync(from);
const flags = { PYTHONUNBUFFERED: "1", PYTHONUTF8: "1", PYTHONDONTWRITEBYTECODE: "1" };
const python = interpreter("any/bin/python3");

describe("the interpreter", () => {
	test("is the first of VIRTUAL_ENV, .venv beside the function or in the task root, and PATH", () => {
		vi.stubEnv("VIRTUAL_ENV", undefined);
		vi.stubEnv("PATH", join(root, "path"));
		const commandOf = () => pythonServer("m", [], { from }).command;
		expect(commandOf).toThrow(/No Python was found/);
		const onPath = interpreter("path/python");
		expect(commandOf()).toBe(onPath);
		expect(interpreter("path/python3")).toBe(commandOf());
		vi.stubEnv("LAMBDA_TASK_ROOT", join(root, "task"));
		expect(interpreter("task/.venv/bin/python")).toBe(commandOf());
		expect(interpreter("function/.venv/bin/python3")).toBe(commandOf());
		vi.stubEnv("VIRTUAL_ENV", join(root, "active"));
		expect(interpreter("active/bin/python3")).toBe(commandOf());
	});

	test("may be named, by a path or for PATH", () => {
		vi.stubEnv("PATH", dirname(interpreter("named/python3.9")));
		expect(pythonServer("m", [], { python }).command).toBe(python);
		expect(pythonServer("m", [], { python: "python3.9" }).command).toBe(join(root, "named/python3.9"));
		expect(() => pythonServer("m", [], { python: "/no/python" })).toThrow(/looked for \/no\/python\./);
	});

	test("that is nowhere is an error that names every path", () => {
		vi.stubEnv("VIRTUAL_ENV", "/venv");
		vi.stubEnv("PATH", "/nowhere");
		const act = () => pythonServer("m", [], { from: join(root, "empty") });
		for (const path of ["/venv/bin/python3", "/opt/venv/bin/python3", "/opt/python/bin/python3", "/opt/bin/python3"]) {
			expect(act).toThrow(path);
		}
		expect(act).toThrow(/\/var\/lang\/bin\/python3.*\/nowhere\/python\. .*option python/);
	});
});

describe("the environment", () => {
	test("has what Python needs on a read-only disk and a pipe, unless env says otherwise", () => {
		expect(pythonServer("mcp_server_time", ["--x"], { python })).toStrictEqual({
			command: python,
			args: ["-m", "mcp_server_time", "--x"],
			env: flags,
			name: "mcp_server_time",
		});
		const env = { PYTHONUTF8: "0", A: "1" };
		expect(pythonServer("m", [], { python, env }).env).toStrictEqual({ ...flags, ...env });
	});

	test("has the folder of packages first on PYTHONPATH", () => {
		const packages = join(root, "packages");
		mkdirSync(packages);
		const pathOf = (options: object) => pythonServer("m", [], { python, ...options }).env?.PYTHONPATH;
		expect(pathOf({ packages })).toBe(packages);
		expect(pathOf({ packages, env: { PYTHONPATH: "/mine" } })).toBe(`${packages}:/mine`);
		vi.stubEnv("PYTHONPATH", "/inherited");
		expect(pathOf({ packages })).toBe(packages);
		expect(pathOf({ packages, inheritEnv: ["PYTHONPATH"] })).toBe(`${packages}:/inherited`);
		expect(() => pathOf({ packages: join(root, "none") })).toThrow(
			/options\.packages names .*none, which does not exist/,
		);
	});

	test("has the folder `python` beside the function and in the task root, where they exist", () => {
		const [beside, task] = [join(root, "beside"), join(root, "root")];
		for (const folder of [beside, task]) mkdirSync(join(folder, "python"), { recursive: true });
		vi.stubEnv("LAMBDA_TASK_ROOT", task);
		const { env } = pythonServer("m", [], { python, from: join(beside, "index.mjs") });
		expect(env?.PYTHONPATH).toBe(`${join(beside, "python")}:${join(task, "python")}`);
	});
});

test.each([
	["mcp-server-time", [], {}, /dashes are underscores there, try "mcp_server_time"/],
	["server.py", [], {}, /not the file server\.py/],
	["a b", [], {}, /module must be the name of a Python module, such as/],
	["-c", [], {}, /module must be/],
	[7, [], {}, /not number/],
	["m", "x", {}, /args must be an array/],
	["m", [], { interpreter: "x" }, /options\.interpreter is not an option/],
])("%j, %j, %j are refused", (module, args, options, message) => {
	const act = () => pythonServer(module as string, args as string[], options as object);
	expect(act).toThrow(TypeError);
	expect(act).toThrow(message);
});

const hasPython = spawnSync("python3", ["-c", "import venv"]).status === 0;

test.skipIf(!hasPython)(
	"a module runs in a real virtual environment, with a folder of packages (needs python3 with venv)",
	async () => {
		const folder = join(root, "real");
		execFileSync("python3", ["-m", "venv", "--without-pip", join(folder, ".venv")]);
		vi.stubEnv("VIRTUAL_ENV", undefined);
		const packages = fileURLToPath(new URL("../fixtures/python", import.meta.url));
		const params = pythonServer("echo_server", [], { from: folder, packages });
		expect(params.command).toBe(join(folder, ".venv/bin/python3"));
		const response = await runStdioRequest(params, callTool("echo", { message: "ünï" }), { standby: 0 });
		expect(JSON.parse(textOf(response))).toEqual({ message: "ünï", prefix: join(folder, ".venv") });
	},
);
