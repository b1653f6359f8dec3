import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = realpathSync(mkdtempSync(join(tmpdir(), "bundled-")));
afterAll(() => rmSync(folder, { recursive: true }));

const name = "echoing-server";
const server = `
	for await (const line of (await import("node:readline")).createInterface({ input: process.stdin })) {
		const { id, method, params = {} } = JSON.parse(line);
		const result =
			method === "initialize"
				? { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "echoing", version: "1.0.0" } }
				: { content: [{ type: "text", text: "Echo: " + params.arguments?.message }] };
		if (id !== undefined) console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
	}
`;

/** The folder that a function's zip would have: one bundle, and the child's package beside it where it is shipped. */
async function deploy(format: "esm" | "cjs", shipped: boolean, options: string): Promise<string> {
	const task = mkdtempSync(join(folder, `${format}-`));
	const source = mkdtempSync(join(folder, "source-"));
	mkdirSync(join(source, "node_modules"));
	symlinkSync(root, join(source, "node_modules/mcp-stdio-lambda"));
	writeFileSync(
		join(source, "handler.js"),
		`
			import { closeStdioServers, npmServer, runStdioRequest } from "mcp-stdio-lambda";
			const params = npmServer("${name}", [], ${options});
			const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "echo", arguments: { message: "hi" } } };
			runStdioRequest(params, call)
				.then((response) => console.log(JSON.stringify({ response, args: params.args })))
				.finally(() => closeStdioServers());
		`,
	);
	await build({
		entryPoints: [join(source, "handler.js")],
		outfile: join(task, format === "esm" ? "index.mjs" : "index.cjs"),
		bundle: true,
		minify: true,
		format,
		platform: "node",
		target: "node22",
		logLevel: "error",
	});
	if (shipped) {
		const installed = join(task, "node_modules", name);
		mkdirSync(installed, { recursive: true });
		writeFileSync(join(installed, "package.json"), JSON.stringify({ name, type: "module", bin: "server.js" }));
		writeFileSync(join(installed, "server.js"), server);
	}
	return task;
}

/** Runs the bundle as Lambda does, from another folder. */
async function start(task: string, format: "esm" | "cjs", env: Record<string, string>): Promise<string> {
	const { NODE_PATH: _, LAMBDA_TASK_ROOT: __, ...inherited } = process.env;
	const bundle = join(task, format === "esm" ? "index.mjs" : "index.cjs");
	const { stdout } = await run(process.execPath, [bundle], { cwd: tmpdir(), env: { ...inherited, ...env } });
	return stdout;
}

describe.each(["esm", "cjs"] as const)("a minified bundle in the format %s", (format) => {
	test.each([
		["in LAMBDA_TASK_ROOT", "{}", (task: string) => ({ LAMBDA_TASK_ROOT: task })],
		["beside the bundle, by itself", "{}", () => ({})],
		["by import.meta.url, which CommonJS has not", "{ from: import.meta.url }", () => ({})],
	])("finds the package that is shipped in node_modules and calls its tool: %s", async (_, options, environment) => {
		const task = await deploy(format, true, options);
		const { response, args } = JSON.parse(await start(task, format, environment(task)));
		expect(response.result.content).toEqual([{ type: "text", text: "Echo: hi" }]);
		expect(args).toEqual([join(task, "node_modules", name, "server.js")]);
	});

	test("without the package fails when it starts, and says what to do", async () => {
		const task = await deploy(format, false, "{}");
		const failure = start(task, format, { LAMBDA_TASK_ROOT: task });
		await expect(failure).rejects.toThrow(`The package ${name} was not found. Install it (npm install ${name})`);
		await expect(failure).rejects.toThrow(`It was looked for in ${join(task, "node_modules")}`);
	});
});
