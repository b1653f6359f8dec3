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
	["https://example.com/x", [], {}, /or of an installed distribution, such as "mcp-server-time", not "https/],
	[
		"m",
		{ env: {} },
		{},
		/args must be an array of strings; options are the third argument: pythonServer\(name, \[\], /,
	],
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

describe("a distribution's console script", () => {
	const venv = join(root, "scripts/.venv");
	const site = join(venv, "lib/python3.12/site-packages");
	const where = { from: join(root, "scripts") };

	/** Installs the metadata of a distribution; its code is not needed to find it. */
	function install(folder: string, metadata: string, entryPoints?: string): void {
		mkdirSync(join(folder, metadata), { recursive: true });
		if (entryPoints !== undefined) writeFileSync(join(folder, metadata, "entry_points.txt"), entryPoints);
	}

	interpreter("scripts/.venv/bin/python3");
	writeFileSync(join(venv, "pyvenv.cfg"), "home = /usr/bin\ninclude-system-site-packages = false\n");
	install(site, "mcp_server_time-2026.1.1.dist-info", "[console_scripts]\nmcp-server-time = mcp_server_time:main\n");
	install(
		site,
		"awslabs_aws_documentation_mcp_server-1.2.3.dist-info",
		"[gui_scripts]\nawslabs.aws-documentation-mcp-server = wrong:main\n\n[console_scripts]\nawslabs.aws-documentation-mcp-server = awslabs.docs.server:main\n",
	);
	install(
		site,
		"awslabs.core_mcp_server-1.0.dist-info",
		"[console_scripts]\nawslabs.core-mcp-server=awslabs.core:run\n",
	);
	install(site, "mcp-2.3.0.dist-info", "[console_scripts]\nmcp = mcp.cli:app [cli]\n");
	install(site, "Two_Scripts-1.dist-info", "[console_scripts]\r\none = two.a:Server.start\r\nother = two.b:main\r\n");
	install(site, "no_scripts-1.dist-info");
	install(site, "legacy_tool-1.0-py3.12.egg-info", "[console_scripts]\nlegacy-tool = legacy:main\n");

	/** What a script's program imports, calls and calls itself. */
	function ran({ args }: { readonly args?: readonly string[] | undefined }) {
		const [flag, program = "", ...rest] = args ?? [];
		const [, name, module, object] =
			/argv\[0\] = "(.*?)"; from (\S+) import \S+; sys\.exit\((.*?)\(\)\)$/.exec(program) ?? [];
		return [flag, name, `${module}:${object}`, ...rest];
	}

	test.each([
		["mcp-server-time", "mcp-server-time", "mcp_server_time:main"],
		["awslabs.aws-documentation-mcp-server", "awslabs.aws-documentation-mcp-server", "awslabs.docs.server:main"],
		["awslabs.core-mcp-server", "awslabs.core-mcp-server", "awslabs.core:run"],
		["AWSLabs_Core.MCP-server", "awslabs.core-mcp-server", "awslabs.core:run"],
		["legacy-tool", "legacy-tool", "legacy:main"],
	])("is run for the name %s", (name, script, target) => {
		expect(ran(pythonServer(name, ["--x"], where))).toEqual(["-c", script, target, "--x"]);
	});

	test("is chosen by the option script", () => {
		expect(ran(pythonServer("two-scripts", [], { ...where, script: "one" }))).toEqual([
			"-c",
			"one",
			"two.a:Server.start",
		]);
		expect(ran(pythonServer("mcp", ["run", "f.py"], { ...where, script: "mcp" }))).toEqual([
			"-c",
			"mcp",
			"mcp.cli:app",
			"run",
			"f.py",
		]);
	});

	test("is found in the folder of packages and on PYTHONPATH as well", () => {
		const packages = join(root, "target");
		install(packages, "in_target-1.dist-info", "[console_scripts]\nin-target = t:main\n");
		expect(ran(pythonServer("in-target", [], { ...where, packages }))).toEqual(["-c", "in-target", "t:main"]);
		const env = { PYTHONPATH: packages };
		expect(ran(pythonServer("in-target", [], { ...where, env }))).toEqual(["-c", "in-target", "t:main"]);
	});

	test.each([
		["two-scripts", {}, /has no console script two-scripts; choose one with the option script: one, other/],
		["no-scripts", {}, /has no console scripts; run its module/],
		[
			"mcp-server-git",
			{},
			/^The Python distribution mcp-server-git is not installed\. Install it \(pip install mcp-server-git\)/,
		],
		["mcp-server-git", {}, /It was looked for in .*scripts\/\.venv\/lib\/python3\.12\/site-packages$/],
	])("that is not there is an error: %s, %o", (name, options, message) => {
		expect(() => pythonServer(name, [], { ...where, ...options })).toThrow(message);
	});

	test("is the module of that name where it is not known what the interpreter has installed", () => {
		expect(pythonServer("mcp-server-time", ["--x"], { python }).args).toEqual(["-m", "mcp_server_time", "--x"]);
	});
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

test.skipIf(!hasPython)(
	"a console script runs as the file that pip makes of it (needs python3 with venv)",
	async () => {
		const folder = join(root, "script");
		execFileSync("python3", ["-m", "venv", "--without-pip", join(folder, ".venv")]);
		vi.stubEnv("VIRTUAL_ENV", undefined);
		const packages = join(folder, "python");
		mkdirSync(join(packages, "tool_dir-1.dist-info"), { recursive: true });
		writeFileSync(
			join(packages, "tool_dir-1.dist-info/entry_points.txt"),
			"[console_scripts]\ntool-x = tool_mod:Tool.run\n",
		);
		const program =
			"import os, sys\nclass Tool:\n  def run():\n    print(sys.argv, __name__, os.getcwd() in sys.path, '' in sys.path, file=sys.stderr)\n    return 3\n";
		writeFileSync(join(packages, "tool_mod.py"), program);
		const { command, args, env } = pythonServer("tool-dir", ["--x"], { from: folder, packages, script: "tool-x" });
		const { status, stderr } = spawnSync(command, args ?? [], { env: { ...process.env, ...env }, encoding: "utf8" });
		expect(stderr).toBe("['tool-x', '--x'] tool_mod False False\n");
		expect(status).toBe(3);
	},
);
