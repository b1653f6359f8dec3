// Builds what is deployed: node infrastructure/build.ts <example>…
//
// dist/ of an example is its handler (or those of its folder functions/, and what else is there), each bundled into one file, and a
// copy of its folder server/, with the packages of the child server installed as they are: a bundler would lose the files
// that a server finds beside its own.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { distFolder, examplesFolder } from "./examples.ts";

export async function buildExample(example: string): Promise<string> {
	const folder = join(examplesFolder, example);
	const dist = distFolder(example);
	rmSync(dist, { recursive: true, force: true });
	const functions = join(folder, "functions");
	const isHandler = (path: string) => path.endsWith(".mjs");
	const handlers = existsSync(functions) ? readdirSync(functions).filter(isHandler) : [];
	await build({
		entryPoints: handlers.length > 0 ? handlers.map((name) => join(functions, name)) : [join(folder, "handler.ts")],
		outdir: dist,
		outExtension: { ".js": ".mjs" },
		bundle: true,
		platform: "node",
		format: "esm",
		target: "node24",
		minifySyntax: true,
		// CommonJS packages in the bundle call `require` for Node's own modules.
		banner: {
			js: 'import { createRequire as createBundleRequire } from "node:module";\nconst require = createBundleRequire(import.meta.url);',
		},
		logLevel: "warning",
		// Chunks of this package that are there for others alone.
		logOverride: { "ignored-bare-import": "silent" },
	});
	if (handlers.length > 0) cpSync(functions, dist, { recursive: true, filter: (path) => !isHandler(path) });
	const server = join(folder, "server");
	if (existsSync(server)) cpSync(server, dist, { recursive: true, filter: (path) => !path.includes("node_modules") });
	if (existsSync(join(dist, "package-lock.json"))) installPackages(dist);
	return dist;
}

function installPackages(folder: string): void {
	// The settings with which npm runs this very script are about another folder.
	const env = Object.fromEntries(
		Object.entries(process.env).filter(([name]) => !/^npm_config_(workspace|local_prefix|prefix)/i.test(name)),
	);
	const options = ["--omit=dev", "--ignore-scripts", "--no-bin-links", "--workspaces=false", "--no-audit", "--no-fund"];
	execFileSync("npm", ["ci", ...options, "--loglevel=error"], {
		cwd: folder,
		env,
		stdio: ["ignore", "ignore", "inherit"],
	});
	rmSync(join(folder, "package-lock.json"));
	rmSync(join(folder, "node_modules/.package-lock.json"), { force: true });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
	for (const example of process.argv.slice(2)) console.log(`built ${await buildExample(example)}`);
}
