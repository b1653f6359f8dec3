// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how hosts write variables
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { fromHostConfig, npmServer, pythonServer, runStdioRequest } from "../../src/index.ts";
import { leaveNothingBehind } from "../support/processes.ts";
import { initialize, resultOf } from "../support/servers.ts";

leaveNothingBehind();
afterEach(() => void vi.unstubAllEnvs());

const root = realpathSync(mkdtempSync(join(tmpdir(), "host-config-")));
afterAll(() => rmSync(root, { recursive: true }));

// A function's folder with a Python that nothing runs and two packages.
mkdirSync(join(root, ".venv/bin"), { recursive: true });
writeFileSync(join(root, ".venv/bin/python3"), "#!/bin/sh\n", { mode: 0o755 });
for (const name of ["pkg", "@s/pkg"]) {
	mkdirSync(join(root, "node_modules", name), { recursive: true });
	const manifest = { version: "1.2.3", bin: { pkg: "a.js", other: "b.js" } };
	writeFileSync(join(root, "node_modules", name, "package.json"), JSON.stringify(manifest));
	for (const file of ["a.js", "b.js"]) writeFileSync(join(root, "node_modules", name, file), "");
}

const options = { from: root };
const read = (entry: object, more: object = {}) =>
	fromHostConfig({ mcpServers: { it: entry } }, "it", { ...options, ...more });
const npm = (name: string, args: string[] = [], more: object = {}) =>
	npmServer(name, args, { ...options, name: "it", ...more });
const python = (module: string, args: string[] = []) => pythonServer(module, args, { ...options, name: "it" });

/** A command line with a blank between its arguments. */
const line = (text: string) => {
	const [command, ...args] = text.split(" ");
	return { command, args };
};

// An environment that is active comes before the one in the function's folder; cases are made before any test runs.
const active = process.env.VIRTUAL_ENV;
delete process.env.VIRTUAL_ENV;
afterAll(() => {
	if (active !== undefined) process.env.VIRTUAL_ENV = active;
});

describe("a configuration", () => {
	const servers = { it: { command: "server", args: ["--x"] } };

	test.each([
		["Claude's and Cursor's", { mcpServers: servers }],
		["VS Code's", { servers: { it: { type: "stdio", ...servers.it } }, inputs: [] }],
		["VS Code's settings", { mcp: { servers } }],
		["JSON text", JSON.stringify({ mcpServers: servers })],
		[
			"JSON text with comments, trailing commas and a byte-order mark",
			'\uFEFF{ // one\n/* "two" */ "servers": { "it": { "command": "server", "args": ["--x",], }, }, }',
		],
	])("may be %s", (_, config) => {
		expect(fromHostConfig(config, "it")).toStrictEqual({
			command: "server",
			args: ["--x"],
			cwd: undefined,
			name: "it",
		});
	});

	test("keeps strings that look like comments or trailing commas", () => {
		const config = '{ "mcpServers": { "it": { "command": "s", "args": ["http://a//b", ",}", "/* \\" */",] } } }';
		expect(fromHostConfig(config, "it").args).toEqual(["http://a//b", ",}", '/* " */']);
	});

	test("may have members that only its host knows", () => {
		const known = { disabled: true, autoApprove: ["x"], alwaysAllow: [], timeout: 60, description: "x", gallery: true };
		expect(read({ command: "server", ...known })).toMatchObject({ command: "server", args: [] });
	});

	test.each([
		["no configuration", 7, /must be a host's configuration/],
		["no servers", {}, /with "mcpServers" or "servers"/],
		["another server", { mcpServers: { a: {}, b: {} } }, /has no server "it"; it has "a", "b"/],
		["no server at all", { servers: {} }, /none at all/],
		["an inherited name", { mcpServers: Object.create({ it: {} }) }, /has no server/],
		["a path", "/Users/me/claude_desktop_config.json", /looks like its path; read the file/],
		["a path of the folder", "./mcp.json", /looks like its path; read the file/],
		["a name of a file", ".mcp.json", /looks like its path; read the file/],
		["text that is no JSON", '{ "A_KEY": secret }', /^json is not JSON: there is an error at/],
		["a URL", { mcpServers: { it: { url: "https://x" } } }, /is a remote one \(url\): there is nothing to run/],
		["a type", { servers: { it: { type: "http", command: "x" } } }, /is a remote one \(type "http"\)/],
		["no command", { mcpServers: { it: {} } }, /The server "it": command must be a string/],
		["args that are text", { mcpServers: { it: { command: "x", args: "y" } } }, /args must be an array of strings/],
		[
			"a number in env",
			{ mcpServers: { it: { command: "x", env: { A: 1 } } } },
			/env\.A must be a string, not a number/,
		],
	])("with %s is refused", (_, config, message) => {
		const act = () => fromHostConfig(config, "it");
		expect(act).toThrow(TypeError);
		expect(act).toThrow(message);
		expect(act).not.toThrow(/secret/);
	});
});

describe("a command line", () => {
	test.each([
		["npx -y @s/pkg@1.2.3 --x -y", npm("@s/pkg", ["--x", "-y"])],
		["npx pkg@latest", npm("pkg")],
		["npx --yes pkg@^1.0.0", npm("pkg")],
		["npx -y --package=@s/pkg other --x", npm("@s/pkg", ["--x"], { bin: "other" })],
		["npx -y --loglevel error pkg", npm("pkg")],
		["npx --loglevel=error --registry https://r.example.com -y pkg --loglevel x", npm("pkg", ["--loglevel", "x"])],
		["npx -y --no-update-notifier -q pkg", npm("pkg")],
		["env npx -y pkg --x", npm("pkg", ["--x"])],
		["/usr/bin/env npx pkg", npm("pkg")],
		["env KEY=x OTHER= npx -y pkg", { ...npm("pkg"), env: { KEY: "x", OTHER: "" } }],
		["env KEY=x node a.js", { command: process.execPath, args: ["a.js"], name: "it", env: { KEY: "x" } }],
		["npx -p pkg -- other", npm("pkg", [], { bin: "other" })],
		["/opt/homebrew/bin/npx -y pkg", npm("pkg")],
		["cmd /c npx -y pkg --x", npm("pkg", ["--x"])],
		["C:\\nodejs\\npx.cmd pkg", npm("pkg")],
		["bunx pkg", npm("pkg")],
		["pnpm dlx pkg --x", npm("pkg", ["--x"])],
		["npm exec --yes -- pkg --x", npm("pkg", ["--x"])],
		["uvx mcp-server-time --local-timezone=UTC", python("mcp_server_time", ["--local-timezone=UTC"])],
		["uvx --python 3.12 mcp-server-time@2025.1.1", python("mcp_server_time")],
		["uvx --from mcp-server-time[cli]==1.0 mcp-time --x", python("mcp_server_time", ["--x"])],
		["uv tool run mcp-server-time --x", python("mcp_server_time", ["--x"])],
		["uv run mcp-server-time", python("mcp_server_time")],
		["uv run -m a.b --x", python("a.b", ["--x"])],
		["uv run --with mcp python -m a.b", python("a.b")],
		["uv --directory /srv run server.py --x", { ...python("x"), args: ["server.py", "--x"], cwd: "/srv" }],
		["pipx run mcp-server-time", python("mcp_server_time")],
		["python -m a.b --x", python("a.b", ["--x"])],
		["/Users/me/.venv/bin/python3.12 -u -m a.b", python("a.b")],
		["python3 server.py -m x", { ...python("x"), args: ["server.py", "-m", "x"] }],
		["node a.js --x", { command: process.execPath, args: ["a.js", "--x"], name: "it" }],
		["/usr/local/bin/node a.js", { command: process.execPath, args: ["a.js"], name: "it" }],
		["./server --x", { command: "./server", args: ["--x"], name: "it" }],
	])("%s becomes what can be run where it is deployed", (text, params) => {
		expect(read(line(text))).toEqual(params);
	});

	test.each([
		["docker run -i --rm mcp/time", /runs in a container \(docker\).*deploy the server's package/],
		["npx -y pkg@1.2.4", /wants pkg@1\.2\.4, and installed is 1\.2\.3/],
		["npx -y none", /The package none was not found/],
		["npx -c pkg", /what -c of npx means/],
		["npx -y git+https://token@example.com/a", /^The server "it" runs no package by its name; install it/],
		["npx ./folder", /runs no package by its name/],
		["npx", /package must be/],
		[
			"npx -y mcp-remote https://u:secret@mcp.example.com/mcp",
			/is a remote server.*connect to it directly, at mcp\.example\.com$/,
		],
		["npx -y mcp-remote", /The package mcp-remote was not found/],
		[
			"uvx --from git+https://token@example.com/a mcp",
			/^The server "it" runs no Python package by its name, and no installed package has the script mcp; install it/,
		],
		["uv sync", /uv has to be followed by run/],
	])("%s is an error that says why", (text, message) => {
		expect(() => read(line(text))).toThrow(message);
	});

	test("of a Python package runs the module that the option names", () => {
		expect(read(line("uvx awslabs.docs-server@latest"), { module: "awslabs.docs.server" })).toEqual(
			python("awslabs.docs.server"),
		);
	});
});

describe("a Python script", () => {
	const site = join(root, "py/.venv/lib/python3.12/site-packages");
	mkdirSync(join(root, "py/.venv/bin"), { recursive: true });
	writeFileSync(join(root, "py/.venv/bin/python3"), "#!/bin/sh\n", { mode: 0o755 });
	const scripts = {
		"mcp_server_sqlite-1": "mcp-server-sqlite = mcp_server_sqlite:main",
		"mcp_atlassian-1": "mcp-atlassian = mcp_atlassian:main",
		"mcp-2": "mcp = mcp.cli:app [cli]",
		"fastmcp-4": "fastmcp = fastmcp.cli:app",
		"some_dist-1": "other-name = some.dist:main",
	};
	for (const [name, script] of Object.entries(scripts)) {
		mkdirSync(join(site, `${name}.dist-info`), { recursive: true });
		writeFileSync(join(site, `${name}.dist-info/entry_points.txt`), `[console_scripts]\n${script}\n`);
	}

	/** The function that is called, and its arguments. */
	function called(text: string, more: object = {}) {
		const { args = [] } = read(line(text), { from: join(root, "py"), ...more });
		const [, module, object] = /from (\S+) import \S+; sys\.exit\((\S+)\(\)\)/.exec(args[1] ?? "") ?? [];
		return [`${module}:${object}`, ...args.slice(2)];
	}

	test.each([
		["uvx mcp-server-sqlite --db-path /tmp/x.db", ["mcp_server_sqlite:main", "--db-path", "/tmp/x.db"]],
		["uvx mcp-atlassian@latest", ["mcp_atlassian:main"]],
		["uvx --from mcp-atlassian==0.1 mcp-atlassian -v", ["mcp_atlassian:main", "-v"]],
		["uvx --from some-dist[cli]@latest other-name", ["some.dist:main"]],
		["uvx --python 3.12 --with httpx mcp_atlassian", ["mcp_atlassian:main"]],
		["uvx --index-url https://i --refresh mcp-atlassian", ["mcp_atlassian:main"]],
		["uvx --from git+https://token@example.com/a other-name", ["some.dist:main"]],
		["uv tool run --from some-dist other-name", ["some.dist:main"]],
		["uv run --with mcp[cli] mcp run /srv/server.py", ["mcp.cli:app", "run", "/srv/server.py"]],
		["uv run --with fastmcp fastmcp run server.py", ["fastmcp.cli:app", "run", "server.py"]],
		["uv --directory /srv run mcp-server-sqlite", ["mcp_server_sqlite:main"]],
		["mcp run server.py", ["mcp.cli:app", "run", "server.py"]],
		["fastmcp run server.py:mcp", ["fastmcp.cli:app", "run", "server.py:mcp"]],
		["mcp-server-sqlite --x", ["mcp_server_sqlite:main", "--x"]],
		["pipx run mcp-atlassian", ["mcp_atlassian:main"]],
		["pipx run --spec some-dist other-name", ["some.dist:main"]],
		["env A=b uvx mcp-atlassian", ["mcp_atlassian:main"]],
		["cmd /c uvx mcp-atlassian", ["mcp_atlassian:main"]],
		["uvx.exe mcp-atlassian", ["mcp_atlassian:main"]],
	])("%s runs what the installed distribution says", (text, expected) => {
		expect(called(text)).toEqual(expected);
	});

	test.each([
		["sh", "-c", "uvx mcp-atlassian --x 'a b'"],
		["bash", "-lc", 'exec uvx mcp-atlassian --x "a b"'],
		["env", "-S", "uvx mcp-atlassian --x 'a b'"],
	])("%s %s with a plain text needs no shell", (command, flag, text) => {
		const { command: found, args } = read({ command, args: [flag, text] }, { from: join(root, "py") });
		expect([found, ...(args ?? []).slice(2)]).toEqual([join(root, "py/.venv/bin/python3"), "--x", "a b"]);
	});

	test.each([
		["uvx mcp-server-git", /^The Python distribution mcp-server-git is not installed\. Install it \(pip install/],
		["uvx --from some-dist wrong", /has no console script wrong; choose one with the option script: other-name/],
		["uvx mcp-proxy https://mcp.example.com/sse", /is a remote server that mcp-proxy passes messages on to/],
	])("%s is an error that says why", (text, message) => {
		expect(() => called(text)).toThrow(message);
	});

	test("in a shell's text that does more is an error that says why", () => {
		const entry = { command: "sh", args: ["-c", "cd /x && uvx mcp-atlassian"] };
		expect(() => read(entry)).toThrow(/within a shell's text; write it as command and args/);
		expect(read({ command: "sh", args: ["-c", "cd /x && ./server"] }).args).toEqual(["-c", "cd /x && ./server"]);
	});
});

describe("variables", () => {
	test.each([
		["${env:HOST_A}", "a"],
		["${HOST_A}/x/${HOST_A}", "a/x/a"],
		["${HOST_NONE:-b:-c}", "b:-c"],
		["${HOST_EMPTY:-d}", "d"],
		["${HOST_A:-d}", "a"],
		["${workspaceFolder}/data", `${root}/data`],
		["a${/}b", "a/b"],
		["${input:key}", "typed"],
		["$HOST_A {x} ${} $", "$HOST_A {x} ${} $"],
	])("%s is filled in everywhere", (text, value) => {
		vi.stubEnv("HOST_A", "a");
		vi.stubEnv("HOST_EMPTY", "");
		const entry = { command: text, args: [text], env: { A: text }, cwd: text };
		const expected = { command: value, args: [value], env: { A: value }, cwd: value };
		expect(read(entry, { inputs: { key: "typed" } })).toMatchObject(expected);
	});

	test.each([
		["${env:HOST_NONE}", /uses \$\{env:HOST_NONE\}, which has no value here; set HOST_NONE/],
		["${HOST_NONE}", /set HOST_NONE in the function's environment/],
		["${input:key}", /give options\.inputs\["key"\]/],
	])("%s without a value is an error", (text, message) => {
		expect(() => read({ command: "x", args: [text] })).toThrow(message);
	});

	test("come from the file that envFile names, under env, under the option env", () => {
		writeFileSync(join(root, ".env"), "A=file\nB=file\nC='f i l e'\n");
		const entry = { command: "x", envFile: "${workspaceFolder}/.env", env: { A: "entry", B: "entry" } };
		expect(read(entry, { env: { A: "option" } }).env).toEqual({ A: "option", B: "entry", C: "f i l e" });
		expect(() => read({ ...entry, envFile: "none.env" })).toThrow(/envFile .*none\.env cannot be read/);
	});
});

test("options go over the entry, and wrong ones are refused", () => {
	const entry = { command: "x", cwd: "/a", env: { A: "1", B: "1" } };
	const more = { cwd: "/b", env: { B: "2" }, name: "mine", inheritEnv: "aws" };
	expect(read(entry, more)).toMatchObject({ ...more, env: { A: "1", B: "2" } });
	expect(() => read(entry, { cwdd: "/" })).toThrow(/options\.cwdd is not an option/);
});

test("an official server answers, from the configuration that its README has", async () => {
	const config = {
		mcpServers: { think: { command: "npx", args: ["-y", "@modelcontextprotocol/server-sequential-thinking"] } },
	};
	const params = fromHostConfig(config, "think", { from: fileURLToPath(import.meta.url) });
	const response = await runStdioRequest(params, initialize("2025-06-18"), { standby: 0 });
	expect(resultOf(response).serverInfo.name).toContain("thinking");
});
