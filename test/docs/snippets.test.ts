import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { type AddressInfo, createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import type { LocalFunctionOptions } from "../../src/local/index.ts";
import { startLambda } from "../local/lambda.ts";
import { blocksOf, pages, reference, root, type Snippet, snippetsOf } from "./snippets.ts";

const run = promisify(execFile);

// In dist, where the package's own name means the built package.
mkdirSync(join(root, "dist"), { recursive: true });
const folder = mkdtempSync(join(root, "dist", "snippets-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const snippets = pages.flatMap(snippetsOf);

function write({ place, language, code }: Snippet): string {
	const path = join(folder, `${place.replaceAll(/[^a-z\d]+/gi, "-")}.mjs`);
	writeFileSync(path, language === "ts" ? stripTypeScriptTypes(code) : code);
	return path;
}

function functionFrom(snippet: Snippet): LocalFunctionOptions {
	return { handler: write(snippet), memorySizeMb: 1024, timeoutMs: 100_000 };
}

/** The smallest handler: that of the README. */
function firstHandler(): Snippet {
	const handler = snippets.find(({ place, kind }) => place.startsWith("README.md") && kind === "handler");
	if (!handler) throw new Error("The README has no handler");
	return handler;
}

async function runProgram(path: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
	const options = { cwd: dirname(path), env: { PATH: process.env.PATH, ...env }, timeout: 100_000 };
	return (await run(process.execPath, [path], options)).stdout;
}

test("every snippet says how it is tried", () => {
	expect(snippets.length).toBeGreaterThan(10);
	const kinds = ["handler", "program", "local", "packed", "params", "http-client", "http-server"];
	// Those of docs/authorization.md are tried in authorization.test.ts.
	kinds.push("handler-of-claims", "handler-of-tokens");
	for (const { place, kind } of snippets) expect(kinds, place).toContain(kind);
});

test("every command of the page about deploying is one that the packed package is tried with, or needs an account", () => {
	const commands = blocksOf("docs/deploying.md").filter(({ language }) => language === "sh");
	expect(commands.length).toBeGreaterThan(3);
	for (const { place, kind } of commands) expect(["packed", "deployed"], place).toContain(kind);
});

test("a file that two pages show under one name is the same", () => {
	const files = pages.flatMap(blocksOf).filter(({ file }) => file !== undefined);
	expect(files.length).toBeGreaterThan(5);
	for (const { place, file, code } of files) {
		expect(code, place).toBe(files.find((other) => other.file === file)?.code);
	}
});

describe("a handler in the pages answers", () => {
	const handlers = snippets.filter(({ kind }) => kind === "handler");
	test.each(handlers)("$place", async (snippet) => {
		const lambda = await startLambda({ snippet: functionFrom(snippet) });
		const { functionError, payload } = await lambda.invoke("snippet", { jsonrpc: "2.0", id: 1, method: "tools/list" });
		expect(functionError).toBeUndefined();
		expect(payload.result.tools.length).toBeGreaterThan(0);
	});
});

describe("a program in the pages runs", () => {
	const programs = snippets.filter(({ kind }) => kind === "program");
	test.each(programs)("$place", async (snippet) => {
		const lambda = await startLambda({ everything: functionFrom(firstHandler()) });
		const stdout = await runProgram(write(snippet), {
			AWS_ENDPOINT_URL_LAMBDA: lambda.endpoint,
			AWS_REGION: "us-east-1",
			AWS_ACCESS_KEY_ID: "local",
			AWS_SECRET_ACCESS_KEY: "local",
		});
		expect(stdout.trim()).not.toBe("");
	});
});

describe("a program in the pages runs a local Lambda with the README's handler", () => {
	const programs = snippets.filter(({ kind }) => kind === "local");
	test.each(programs)("$place", async (snippet) => {
		writeFileSync(join(folder, "handler.mjs"), firstHandler().code);
		expect(await runProgram(write(snippet))).toContain("Echo: Hello");
	});
});

describe("a server in the pages answers", () => {
	const servers = snippets.filter(({ kind }) => kind === "http-server");
	test.each(servers)("$place", async (snippet) => {
		const port = await freePort();
		const path = write({ ...snippet, code: snippet.code.replace("3000", String(port)) });
		const server = execFile(process.execPath, [path]);
		onTestFinished(() => void server.kill());
		const list = async (): Promise<Response | undefined> =>
			await fetch(`http://127.0.0.1:${port}/mcp`, {
				method: "POST",
				headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
				body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }),
			}).catch(() => undefined);
		let response = await list();
		for (let tries = 0; !response && tries < 600; tries += 1) {
			await setTimeout(100);
			response = await list();
		}
		if (!response) throw new Error("The server does not answer");
		const { result } = (await response.json()) as { result: { tools: unknown[] } };
		expect(result.tools.length).toBeGreaterThan(5);
	});
});

async function freePort(): Promise<number> {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	server.close();
	return port;
}

test("the examples of the reference compile, and what the pages show of types", async () => {
	const kinds = ["handler", "params", "http-client"];
	const shown = snippets.filter(({ kind, language }) => language === "ts" && kinds.includes(kind ?? ""));
	const examples = [...reference.flatMap(snippetsOf).filter(({ kind }) => kind === "example"), ...shown];
	expect(examples.length).toBeGreaterThan(5);
	const own = join(folder, "reference");
	mkdirSync(own);
	for (const [index, { code }] of examples.entries()) writeFileSync(join(own, `${index}.mts`), `${code}\nexport {};\n`);
	const compilerOptions = { noUnusedLocals: false, isolatedDeclarations: false, declaration: false };
	writeFileSync(
		join(own, "tsconfig.json"),
		JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, include: ["*.mts"] }),
	);
	const { stdout } = await run(join(root, "node_modules/.bin/tsc"), ["-p", own]).catch(({ stdout }) => ({ stdout }));
	expect(stdout).toBe("");
});
