import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import * as middleware from "../../middleware/index.ts";
import * as agentcore from "../../src/agentcore/index.ts";
import * as client from "../../src/client/index.ts";
import * as core from "../../src/index.ts";
import * as local from "../../src/local/index.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));

type Manifest = {
	readonly name: string;
	readonly version: string;
	readonly files: readonly string[];
	readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
};

const manifest: Manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const entries = Object.entries(manifest.exports).flatMap(([path, target]) =>
	typeof target === "string" ? [] : [{ path, ...target }],
);

/** What a program in a package folder gets from an import, by Node's own resolution. */
async function importedNames(specifier: string): Promise<string[]> {
	const program = `console.log(JSON.stringify(Object.keys(await import(${JSON.stringify(specifier)}))))`;
	const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], { cwd: root });
	return JSON.parse(stdout);
}

describe.each(entries)("the export $path", (entry) => {
	test.each(["types", "default"] as const)("has a file for %s, which is published", (condition) => {
		const file = entry[condition];
		expect(existsSync(join(root, file)), `${file} is built`).toBe(true);
		expect(manifest.files.some((folder) => file.startsWith(`./${folder}/`))).toBe(true);
	});

	test("says types first, as TypeScript needs it", () => {
		expect(Object.keys(manifest.exports[entry.path] as object)).toStrictEqual(["types", "default"]);
	});

	test("has types that refer only to files that are built", () => {
		const checked = new Set<string>();
		const missing: string[] = [];
		const check = (file: string): void => {
			if (checked.has(file)) return;
			checked.add(file);
			if (!existsSync(file)) {
				missing.push(file);
				return;
			}
			const source = readFileSync(file, "utf8");
			for (const [, specifier = ""] of source.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)) {
				check(join(dirname(file), specifier.replace(/\.[jt]s$/, ".d.ts")));
			}
		};
		check(join(root, entry.types));
		expect(checked.size).toBeGreaterThan(1);
		expect(missing).toStrictEqual([]);
	});
});

test.each([
	[".", core],
	["./middy", middleware],
	["./agentcore", agentcore],
	["./client", client],
	["./local", local],
])("an import of %s has the names of its source and no other", async (path, source) => {
	const names = await importedNames(manifest.name + path.slice(1));
	expect(names.sort()).toStrictEqual(Object.keys(source).sort());
});

test("the core has exactly what was promised", () => {
	expect(Object.keys(core).sort()).toStrictEqual([
		"McpStdioError",
		"closeStdioServers",
		"fromHostConfig",
		"npmServer",
		"prewarmStdioServer",
		"pythonServer",
		"runStdioRequest",
	]);
});

test("the middleware has exactly what was promised", () => {
	expect(Object.keys(middleware).sort()).toStrictEqual([
		"bearerChallenge",
		"mcpStdioServer",
		"mcpStdioServerValidateOptions",
		"policyByClaim",
	]);
});

test("the client has what was promised", () => {
	expect(Object.keys(client)).toEqual(
		expect.arrayContaining(["LambdaFunctionClientTransport", "LambdaTransportError", "createRetryBudget"]),
	);
});

test("entry points share one registry of servers, so that closeStdioServers ends those of the middleware", async () => {
	const program = `
		import { closeStdioServers } from "${manifest.name}";
		import { mcpStdioServer } from "${manifest.name}/middy";
		const server = mcpStdioServer({ command: process.execPath, args: ["-e", "setInterval(() => {}, 1000)"] }, { standby: 1, observer: {} });
		await new Promise((resolve) => setTimeout(resolve, 100));
		await closeStdioServers();
		console.log((await server.prewarmed)?.code);
	`;
	const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], { cwd: root });
	expect(stdout.trim()).toBe("ABORTED");
});

test("package.json can be imported, for tools that look at it", async () => {
	const program = `import manifest from "${manifest.name}/package.json" with { type: "json" }; console.log(manifest.version)`;
	const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], { cwd: root });
	expect(stdout.trim()).toBe(manifest.version);
});

test.each(["/dist/src/index.js", "/src/index.ts", "/server/params", "/errors"])(
	"%s cannot be imported",
	async (path) => {
		await expect(importedNames(manifest.name + path)).rejects.toThrow("ERR_PACKAGE_PATH_NOT_EXPORTED");
	},
);
