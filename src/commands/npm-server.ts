import { closeSync, existsSync, openSync, readFileSync, readSync } from "node:fs";
import { basename, delimiter, dirname, join, normalize } from "node:path";
import { isObject } from "../jsonrpc.ts";
import type { StdioServerParams } from "../params.ts";
import { type OptionRules, text, validateOptions } from "../validate.ts";
import { isExecutable } from "./executable.ts";
import { type CommandOptions, checkArgs, commandRules } from "./options.ts";
import { places } from "./places.ts";

export type NpmServerOptions = CommandOptions & {
	/** Which of the package's commands to run. @default the only one, or the one that is named like the package */
	readonly bin?: string | undefined;
	/** A script of the package to run in place of a command, such as `"dist/index.js"`. */
	readonly file?: string | undefined;
};

const optionRules = (): OptionRules<NpmServerOptions> => ({ ...commandRules(), bin: text, file: text });

/**
 * The params that run a server of an installed npm package: this process's Node and the absolute path of the script, as
 * `npx` would find it. `npx` itself costs about 200 ms at every start and needs a disk that it may write to.
 *
 * The package is looked up in the `node_modules` of `from` and the folders above it, of LAMBDA_TASK_ROOT, of the current
 * folder and of the running code, then in NODE_PATH and in /opt/nodejs, where Lambda's layers are. It need not be
 * importable. A bundler does not see it: list it among the packages that are deployed as they are. A command that is no
 * JavaScript is run as itself.
 *
 * Throws an Error that names every folder that was searched, so that a deployment without the package fails when it
 * starts, and a TypeError for wrong arguments.
 *
 * @example
 * ```ts
 * import { npmServer, runStdioRequest } from "mcp-stdio-lambda";
 *
 * const params = npmServer("@modelcontextprotocol/server-filesystem", ["/tmp"], { from: import.meta.url });
 * const response = await runStdioRequest(params, { jsonrpc: "2.0", id: 1, method: "tools/list" });
 * ```
 */
export function npmServer(
	name: string,
	args: readonly string[] = [],
	options: NpmServerOptions = {},
): StdioServerParams {
	checkName(name);
	checkArgs(args, "npmServer");
	validateOptions("options", options, optionRules());
	const { from, bin, file, ...params } = options;
	const folder = findPackage(name, from);
	const script = join(folder, join("/", file ?? chooseCommand(name, readManifest(folder), bin)));
	if (!existsSync(script))
		throw new Error(`${name} has no file ${script}; install it again, or build it if it is your own`);
	return { ...params, ...commandFor(script, args), name: params.name ?? name };
}

/** The version of an installed package. */
export function installedVersion(name: string, from: string | URL | undefined): unknown {
	return readManifest(findPackage(name, from)).version;
}

function checkName(name: string): void {
	if (typeof name === "string" && /^(@[\w~-][\w.~-]*\/)?[\w~-][\w.~-]*$/.test(name)) return;
	throw new TypeError(
		`package must be the name of an installed npm package, such as "@scope/name", without version or path, not ${typeof name === "string" ? JSON.stringify(name) : typeof name}`,
	);
}

// Not require.resolve: `exports` may hide package.json, and a server's package need have nothing that can be imported.
function findPackage(name: string, from: string | URL | undefined): string {
	const searched = packageFolders(from);
	const found = searched.map((folder) => join(folder, name)).find((folder) => existsSync(join(folder, "package.json")));
	if (found !== undefined) return found;
	throw new Error(
		`The package ${name} was not found. Install it (npm install ${name}) and deploy it with the function: a bundler leaves it out unless it is told to ship the package in node_modules. It was looked for in ${searched.join(", ")}`,
	);
}

function packageFolders(from: string | URL | undefined): string[] {
	const beside = [...places(from), ownFolder()].flatMap((folder) => (folder === undefined ? [] : foldersAbove(folder)));
	const listed = process.env.NODE_PATH?.split(delimiter).filter((folder) => folder !== "") ?? [];
	return [...new Set([...beside, ...listed, "/opt/nodejs/node_modules"])];
}

// A bundle in the CommonJS format has no import.meta, and an ES module no __dirname.
function ownFolder(): string | undefined {
	return typeof __dirname === "string" ? __dirname : import.meta.dirname;
}

/** The `node_modules` of a folder and of all above it, as Node looks packages up. */
function foldersAbove(folder: string): string[] {
	const above = dirname(folder) === folder ? [] : foldersAbove(dirname(folder));
	return basename(folder) === "node_modules" ? above : [join(folder, "node_modules"), ...above];
}

function readManifest(folder: string): { readonly bin?: unknown; readonly version?: unknown } {
	return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

function chooseCommand(name: string, manifest: { readonly bin?: unknown }, wanted: string | undefined): string {
	const short = basename(name);
	const commands = isObject(manifest.bin) ? manifest.bin : { [short]: manifest.bin };
	const names = Object.keys(commands).filter((key) => typeof commands[key] === "string");
	const files = new Set(names.map((key) => normalize(commands[key] as string)));
	// https://docs.npmjs.com/cli/v11/commands/npm-exec#description: several names of one file are one command.
	const chosen = wanted ?? (files.size === 1 ? names[0] : short);
	if (chosen !== undefined && names.includes(chosen)) return commands[chosen] as string;
	throw new TypeError(
		names.length === 0
			? `The package ${name} has no bin; name the script to run with the option file, such as "dist/index.js"`
			: `The package ${name} has ${wanted === undefined ? "several bins" : `no bin ${JSON.stringify(wanted)}`}; choose one with the option bin: ${names.join(", ")}`,
	);
}

function commandFor(script: string, args: readonly string[]): { readonly command: string; readonly args: string[] } {
	const head = readHead(script);
	// "#!/usr/bin/env -S node --some-flag" is how a script asks for flags of Node's.
	const interpreter = /^#!\s*(\S.*?)\s*$/m.exec(head.startsWith("#!") ? head : "")?.[1];
	const node = /^(?:\S*\/env\s+(?:-S\s+)?)?(?:\S*\/)?node(?:\s+(.*))?$/.exec(interpreter ?? "node");
	const isScript = interpreter !== undefined || /\.[cm]?[jt]s$/.test(script) || !head.includes("\0");
	if (node && isScript) {
		return { command: process.execPath, args: [...(node[1]?.split(/\s+/) ?? []), script, ...args] };
	}
	if (isExecutable(script)) return { command: script, args: [...args] };
	throw new Error(`${script} may not be executed; deploy it with its permissions (chmod +x)`);
}

function readHead(path: string): string {
	const file = openSync(path, "r");
	try {
		const bytes = Buffer.alloc(256);
		return bytes.toString("latin1", 0, readSync(file, bytes));
	} finally {
		closeSync(file);
	}
}
