import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));

// What runs inside of a deployed function loads no package; every kilobyte there is cold-start time.
const entries = [
	"src/index.js",
	"src/http/index.js",
	"src/local/index.js",
	"src/local/runtime/main.js",
	"middleware/index.js",
];

const manifest: {
	readonly dependencies?: object;
	readonly peerDependencies: Readonly<Record<string, string>>;
	readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
} = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const staticImport = /^\s*(?:import|export)\b[^"';]*?(?:from\s*)?["']([^"']+)["']/gm;
const otherImport = /\b(?:import|require)\(\s*["'`]([^"'`]+)["'`]/g;

/** What a built file and everything it imports from beside itself imports from elsewhere. */
function importsOf(file: string, seen: Set<string> = new Set()): string[] {
	if (seen.has(file)) return [];
	seen.add(file);
	const source = readFileSync(file, "utf8");
	const specifiers = [...source.matchAll(staticImport), ...source.matchAll(otherImport)].map(([, name = ""]) => name);
	return specifiers.flatMap((name) => (name.startsWith(".") ? importsOf(join(dirname(file), name), seen) : [name]));
}

/** Runs a program that finds the URLs of all modules loaded so far in `loaded`. */
function runWatched(program: string, cwd: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
	const watch = `
		import { registerHooks } from "node:module";
		const loaded = [];
		registerHooks({
			resolve(specifier, context, next) {
				const resolved = next(specifier, context);
				loaded.push(resolved.url);
				return resolved;
			},
		});
	`;
	return run(process.execPath, ["--input-type=module", "--eval", watch + program], { cwd });
}

test("dist/src/agentcore/index.js imports nothing but what is beside it", () => {
	expect(importsOf(join(root, "dist/src/agentcore/index.js"))).toEqual([]);
});

describe.each(entries)("dist/%s", (entry) => {
	test("imports only what is part of Node, and says so", () => {
		const imported = [...new Set(importsOf(join(root, "dist", entry)))];
		expect(imported.length).toBeGreaterThan(0);
		for (const name of imported) {
			expect(isBuiltin(name), name).toBe(true);
			expect(name).toMatch(/^node:/);
		}
	});
});

test("nothing is installed along with the package", () => {
	expect(manifest.dependencies).toBeUndefined();
	for (const name of Object.keys(manifest.peerDependencies)) {
		expect(manifest.peerDependenciesMeta[name]?.optional, name).toBe(true);
	}
});

describe("dist/src/client/index.js", () => {
	const file = join(root, "dist/src/client/index.js");
	const entry = pathToFileURL(file).href;

	test("imports exactly the optional peers that package.json declares for it, when they are needed", async () => {
		const packages = importsOf(file).filter((name) => !/^node:/.test(name));
		const declared = Object.keys(manifest.peerDependencies).filter((name) => name !== "@middy/core");
		expect([...new Set(packages)].sort()).toStrictEqual(declared.sort());
	});

	test("says in one sentence what to install where they are not", async () => {
		const folder = mkdtempSync(join(tmpdir(), "dist-"));
		onTestFinished(() => rmSync(folder, { recursive: true }));
		cpSync(join(root, "dist"), join(folder, "dist"), { recursive: true });
		cpSync(join(root, "package.json"), join(folder, "package.json"));
		const alone = pathToFileURL(join(folder, "dist/src/client/index.js")).href;
		const program = `
			const { LambdaFunctionClientTransport, createSigV4Fetch } = await import(${JSON.stringify(alone)});
			const says = (promise) => promise.then(() => "nothing", ({ name, message, code }) => ({ name, message, code }));
			const transport = new LambdaFunctionClientTransport({ functionName: "f" });
			const credentials = { accessKeyId: "a", secretAccessKey: "b" };
			const fetch = createSigV4Fetch({ service: "lambda", region: "eu-west-1", credentials });
			console.log(JSON.stringify([
				await says(transport.send({ jsonrpc: "2.0", id: 1, method: "ping" })),
				await says(fetch("https://example.com/")),
			]));
		`;
		const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], { cwd: folder });
		expect(JSON.parse(stdout)).toStrictEqual([
			{
				name: "LambdaTransportError",
				code: "CLIENT_MISCONFIGURED",
				message: "Lambda function f: the AWS SDK is not installed: npm install @aws-sdk/client-lambda",
			},
			{
				name: "TypeError",
				message: "createSigV4Fetch signs with @smithy/signature-v4: npm install @smithy/signature-v4",
			},
		]);
	});

	test("loads no MCP SDK, and nothing that starts processes", async () => {
		const program = `await import(${JSON.stringify(entry)}); process.stdout.write(JSON.stringify(loaded));`;
		const { stdout, stderr } = await runWatched(program, root);
		const loaded = JSON.parse(stdout) as string[];
		expect(loaded).toContain(entry);
		expect(loaded.filter((url) => url.includes("/@modelcontextprotocol/"))).toStrictEqual([]);
		const beside = pathToFileURL(join(root, "dist")).href;
		const ours = loaded.filter((url) => url.startsWith(beside)).map((url) => readFileSync(new URL(url), "utf8"));
		expect(ours.filter((source) => /node:child_process/.test(source))).toStrictEqual([]);
		expect(stderr).toBe("");
	});
});

describe("the core, alone in a folder without node_modules", () => {
	test("loads nothing but itself and what is part of Node, and leaves nothing running", async () => {
		const folder = mkdtempSync(join(tmpdir(), "dist-"));
		onTestFinished(() => rmSync(folder, { recursive: true }));
		cpSync(join(root, "dist"), join(folder, "dist"), { recursive: true });
		cpSync(join(root, "package.json"), join(folder, "package.json"));
		const entry = pathToFileURL(join(folder, "dist/src/index.js")).href;
		const program = `
			const before = process.getActiveResourcesInfo();
			const core = await import(${JSON.stringify(entry)});
			const listeners = process.eventNames().filter((name) => /^SIG|exit/i.test(String(name)));
			const running = process.getActiveResourcesInfo().filter((kind) => !before.includes(kind));
			const notification = await core.runStdioRequest({ command: "none" }, { jsonrpc: "2.0", method: "a" });
			const pong = await core.runStdioRequest({ command: "none" }, { jsonrpc: "2.0", id: 0, method: "ping" });
			process.stdout.write(JSON.stringify({ loaded, listeners, running, notification: typeof notification, pong }));
		`;
		const { stdout, stderr } = await runWatched(program, folder);
		const { loaded, ...rest } = JSON.parse(stdout) as { readonly loaded: string[] };
		expect(loaded).toContain(entry);
		const beside = pathToFileURL(join(folder, "dist")).href;
		expect(loaded.filter((url) => !url.startsWith("node:") && !url.startsWith(beside))).toStrictEqual([]);
		expect(rest).toStrictEqual({
			listeners: [],
			running: [],
			notification: "undefined",
			pong: { jsonrpc: "2.0", id: 0, result: {} },
		});
		expect(stderr).toBe("");
	});
});
