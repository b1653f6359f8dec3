import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { npmServer, runStdioRequest } from "../../src/index.ts";
import { leaveNothingBehind } from "../support/processes.ts";
import { initialize, resultOf } from "../support/servers.ts";

leaveNothingBehind();
afterEach(() => void vi.unstubAllEnvs());

const root = realpathSync(mkdtempSync(join(tmpdir(), "npm-server-")));
afterAll(() => rmSync(root, { recursive: true }));

let lastFolder = 0;

/** A folder of files by their paths; those that are objects become JSON. */
function folderWith(files: Readonly<Record<string, string | object>>): string {
	lastFolder += 1;
	const folder = join(root, String(lastFolder));
	mkdirSync(folder);
	for (const [path, content] of Object.entries(files)) {
		mkdirSync(dirname(join(folder, path)), { recursive: true });
		writeFileSync(join(folder, path), typeof content === "string" ? content : JSON.stringify(content));
	}
	return folder;
}

/** A folder in which one package is installed. */
function installed(name: string, manifest: object, files: Readonly<Record<string, string>> = { "a.js": "" }): string {
	const paths = Object.entries(files).map(([path, content]) => [`node_modules/${name}/${path}`, content]);
	return folderWith({ [`node_modules/${name}/package.json`]: manifest, ...Object.fromEntries(paths) });
}

describe("the command of a package", () => {
	test.each([
		["bin is a string", "pkg", { bin: "./a.js" }, {}],
		["bin is an object with one member of another name", "pkg", { bin: { other: "a.js" } }, {}],
		["one of several bins is named like the package", "pkg", { bin: { more: "b.js", pkg: "a.js" } }, {}],
		[
			"one of several bins is named like the package without its scope",
			"@s/pkg",
			{ bin: { x: "b.js", pkg: "a.js" } },
			{},
		],
		["several bins are one file", "pkg", { bin: { b: "a.js", c: "./a.js" } }, {}],
		["the option bin chooses", "pkg", { bin: { more: "a.js", pkg: "b.js" } }, { bin: "more" }],
		["the option file names a script", "pkg", {}, { file: "a.js" }],
		["exports hide package.json", "pkg", { bin: "a.js", exports: { ".": "./b.js" } }, {}],
	])("is found when %s", (_, name, manifest, options) => {
		const from = installed(name, manifest);
		expect(npmServer(name, ["--x"], { from, ...options })).toStrictEqual({
			command: process.execPath,
			args: [join(from, "node_modules", name, "a.js"), "--x"],
			name,
		});
	});

	test.each([
		[
			"several bins, none named like the package",
			{ bin: { b: "a.js", c: "b.js" } },
			{},
			/several bins.*option bin: b, c/,
		],
		["no bin", { main: "a.js" }, {}, /has no bin.*option file/],
		["no such bin", { bin: { pkg: "a.js" } }, { bin: "x" }, /no bin "x".*: pkg/],
		["a bin that does not exist", { bin: "b.js" }, {}, /has no file .*b\.js; install it again/],
	])("is an error with %s", (_, manifest, options, message) => {
		const from = installed("pkg", manifest);
		expect(() => npmServer("pkg", [], { from, ...options })).toThrow(message);
	});

	test.each([
		["#!/usr/bin/env node\n", []],
		["#!/usr/bin/env node\r\n", []],
		["#!/usr/local/bin/node --no-warnings\n", ["--no-warnings"]],
		["#!/usr/bin/env -S node --no-warnings --stack-size=900\n", ["--no-warnings", "--stack-size=900"]],
		["console.log(1);\n", []],
	])("that begins with %j is run with Node and the flags that it asks for", (source, flags) => {
		const from = installed("pkg", { bin: "cli" }, { cli: source });
		const script = join(from, "node_modules/pkg/cli");
		expect(npmServer("pkg", [], { from })).toMatchObject({ command: process.execPath, args: [...flags, script] });
	});

	test.each([
		["a shell script", "#!/bin/sh\nexec node\n"],
		["a script of another runtime", "#!/usr/bin/env bun\n"],
		["a native program", "\x7fELF\x02\x01\x01\0\0\0"],
	])("that is %s is run as itself, if it may be executed", (_, source) => {
		const from = installed("pkg", { bin: "bin/cli" }, { "bin/cli": source });
		const path = join(from, "node_modules/pkg/bin/cli");
		expect(() => npmServer("pkg", ["--x"], { from })).toThrow(`${path} may not be executed`);
		chmodSync(path, 0o755);
		expect(npmServer("pkg", ["--x"], { from })).toStrictEqual({ command: path, args: ["--x"], name: "pkg" });
	});
});

describe("the package", () => {
	const manifest = { bin: "a.js" };
	const packageOf = (folder: string) => join(folder, "node_modules/pkg/a.js");
	const scriptOf = (options = {}) => npmServer("pkg", [], options).args?.[0];

	test("is looked up in `from`, then LAMBDA_TASK_ROOT, then NODE_PATH", () => {
		const [first, second, third] = [1, 2, 3].map(() => installed("pkg", manifest));
		vi.stubEnv("NODE_PATH", `${join(root, "none")}:${join(third ?? "", "node_modules")}`);
		expect(scriptOf()).toBe(packageOf(third ?? ""));
		vi.stubEnv("LAMBDA_TASK_ROOT", second);
		expect(scriptOf()).toBe(packageOf(second ?? ""));
		expect(scriptOf({ from: first })).toBe(packageOf(first ?? ""));
	});

	test("is looked up beside a file, whose URL is import.meta.url, and in the folders above", () => {
		const folder = installed("pkg", manifest);
		const url = pathToFileURL(join(folder, "deep/er/handler.mjs"));
		expect(scriptOf({ from: url })).toBe(packageOf(folder));
		expect(scriptOf({ from: url.href })).toBe(packageOf(folder));
		expect(scriptOf({ from: join(folder, "node_modules/other/index.js") })).toBe(packageOf(folder));
	});

	test("may be a link, as workspaces and pnpm make them", () => {
		const store = folderWith({ "real/package.json": manifest, "real/a.js": "" });
		const from = folderWith({ "node_modules/x/package.json": {} });
		symlinkSync(join(store, "real"), join(from, "node_modules/pkg"));
		expect(scriptOf({ from })).toBe(packageOf(from));
	});

	test("that is nowhere is an error that names every folder and says what to do", () => {
		const from = folderWith({});
		vi.stubEnv("LAMBDA_TASK_ROOT", "/var/task");
		vi.stubEnv("NODE_PATH", "/layers/node_modules");
		const act = () => npmServer("@s/none", [], { from });
		for (const folder of [from, "/var/task", "", process.cwd(), "/layers", "/opt/nodejs"]) {
			expect(act).toThrow(`${folder}/node_modules`);
		}
		expect(act).toThrow(/npm install @s\/none.*bundler/);
	});
});

describe("arguments", () => {
	test("that belong to the params go through", () => {
		const from = installed("pkg", { bin: "a.js" });
		const more = { env: { A: "1" }, cwd: "/", inheritEnv: "aws", maxMessageBytes: 10, name: "mine" } as const;
		expect(npmServer("pkg", [], { from, ...more })).toMatchObject(more);
	});

	test.each([
		["pkg@1.2.3", [], {}, /package must be .* without version or path, not "pkg@1.2.3"/],
		["../pkg", [], {}, /package must be/],
		["@s/../../pkg", [], {}, /package must be/],
		[undefined, [], {}, /package must be .* not undefined/],
		["pkg", "--x", {}, /args must be an array/],
		["pkg", [], { bins: "x" }, /options\.bins is not an option/],
		["pkg", [], { command: "x" }, /options\.command is not an option/],
		["pkg", [], { from: "relative" }, /options\.from must be a file: URL or an absolute path/],
		["pkg", [], { from: new URL("https://example.com") }, /options\.from must be/],
		["pkg", [], { env: { A: 1 } }, /options\.env\.A must be a string, not a number/],
	])("%j, %j, %j are refused", (name, args, options, message) => {
		const act = () => npmServer(name as string, args as string[], options as object);
		expect(act).toThrow(TypeError);
		expect(act).toThrow(message);
	});
});

test.each([
	["everything", []],
	["filesystem", [root]],
	["memory", []],
	["sequential-thinking", []],
])("the official server %s answers initialize", async (name, args) => {
	const params = npmServer(`@modelcontextprotocol/server-${name}`, args, { from: import.meta.url });
	const { serverInfo } = resultOf(await runStdioRequest(params, initialize("2025-06-18"), { standby: 0 }));
	expect(serverInfo.name).toEqual(expect.any(String));
});
