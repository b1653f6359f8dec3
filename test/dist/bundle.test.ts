import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string };

type Bundler = {
	build(options: Record<string, unknown>): Promise<{
		readonly outputFiles: readonly { readonly contents: Uint8Array; readonly text: string }[];
		readonly metafile: {
			readonly outputs: Record<
				string,
				{ readonly imports: readonly { readonly path: string; readonly external?: boolean }[] }
			>;
		};
	}>;
};

/** The bundler that the build itself uses. */
async function loadBundler(): Promise<Bundler> {
	const buildTool = createRequire(import.meta.url).resolve("tsup");
	return await import(pathToFileURL(createRequire(buildTool).resolve("esbuild")).href);
}

const settings = {
	bundle: true,
	minify: true,
	write: false,
	metafile: true,
	format: "esm",
	platform: "node",
	target: "node22",
	packages: "external",
	logLevel: "error",
};

test("a bundle of a function that names its server's command has at most 60 kB, and nothing that finds commands", async () => {
	const bundler = await loadBundler();
	const names = "McpStdioError, closeStdioServers, prewarmStdioServer, runStdioRequest";
	const contents = `export { ${names} } from "./dist/src/index.js";`;
	const { outputFiles } = await bundler.build({ ...settings, stdin: { contents, resolveDir: root } });
	const code = outputFiles[0]?.text ?? "";
	expect(code.length).toBeGreaterThan(1000);
	expect(code.length).toBeLessThanOrEqual(60_000);
	expect(code).not.toMatch(/VIRTUAL_ENV|mcpServers|console_scripts/);
});

describe("a bundle of the whole core", () => {
	let code: string;
	let bytes: number;
	let imports: string[];

	beforeAll(async () => {
		const bundler = await loadBundler();
		const { outputFiles, metafile } = await bundler.build({
			...settings,
			entryPoints: [join(root, "dist/src/index.js")],
		});
		code = outputFiles[0]?.text ?? "";
		bytes = outputFiles[0]?.contents.length ?? Number.NaN;
		imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
	});

	test("has at most 80 kB", () => {
		expect(bytes).toBeGreaterThan(1000);
		expect(bytes).toBeLessThanOrEqual(80_000);
	});

	test("imports only what is part of Node", () => {
		expect(imports.length).toBeGreaterThan(0);
		expect(imports.filter((path) => !path.startsWith("node:"))).toStrictEqual([]);
	});

	test("tells servers the version of the package", () => {
		const versions = Array.from(code.matchAll(/name:"mcp-stdio-lambda",version:"([^"]*)"/g), ([, found]) => found);
		expect(versions).toStrictEqual([version]);
	});
});
