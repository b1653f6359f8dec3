import { existsSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import type { StdioServerParams } from "../params.ts";
import { type OptionRules, text, validateOptions } from "../validate.ts";
import { type ConsoleScript, normalize, runScript, scriptNamed, scriptsOf } from "./console-script.ts";
import { isExecutable } from "./executable.ts";
import { type CommandOptions, checkArgs, commandRules, place } from "./options.ts";
import { folderOf, pathOf, places } from "./places.ts";
import { sitePackagesOf } from "./python-folders.ts";

export type PythonServerOptions = CommandOptions & {
	/** The interpreter: a path, or a name that is looked up on PATH. @default the first that is found */
	readonly python?: string | undefined;
	/**
	 * A folder of Python packages that is deployed with the function (`pip install --target`); it goes first on PYTHONPATH.
	 *
	 * @default "python" beside `from` and in LAMBDA_TASK_ROOT, and /opt/python, as far as they exist
	 */
	readonly packages?: string | URL | undefined;
	/**
	 * The console script to run, where the server is named by its distribution: `uvx --from distribution script`.
	 *
	 * @default the one that is named like the distribution
	 */
	readonly script?: string | undefined;
};

const optionRules = (): OptionRules<PythonServerOptions> => ({
	...commandRules(),
	python: text,
	packages: place,
	script: text,
});

/**
 * The params that run a Python server, by the name of its module (`python -m mcp_server_time`), or by the name of its
 * distribution, which has dashes, or the option `script`: then the console script that the installed distribution's own
 * metadata names is run, as `uvx` would (`"mcp-server-time"`, `"awslabs.aws-documentation-mcp-server"`).
 *
 * The interpreter is the first that is there of VIRTUAL_ENV; `.venv` beside `from`, in LAMBDA_TASK_ROOT and in the current
 * folder; /opt/venv, /opt/python, /opt and /var/lang; and python3 or python on PATH. Lambda's Node runtimes have no Python:
 * deploy an image or a layer with one.
 *
 * Sets PYTHONUNBUFFERED, PYTHONUTF8 and PYTHONDONTWRITEBYTECODE (Lambda's disk is read-only) unless `env` does. Python is
 * not started to find out whether it has the module; a distribution is looked up in the interpreter's folders, in `packages`
 * and on PYTHONPATH. Throws an Error that says what to install and where it was looked for, and a TypeError for wrong
 * arguments.
 *
 * @example
 * ```ts
 * import { pythonServer } from "mcp-stdio-lambda";
 *
 * const params = pythonServer("mcp_server_time", ["--local-timezone", "Europe/Berlin"], { from: import.meta.url });
 * ```
 */
export function pythonServer(
	name: string,
	args: readonly string[] = [],
	options: PythonServerOptions = {},
): StdioServerParams {
	const isModule = options.script === undefined && isModuleName(name);
	if (!isModule) checkDistribution(name);
	checkArgs(args, "pythonServer");
	const params = isModule ? runPython(["-m", name, ...args], options) : runConsoleScript(name, args, options);
	return { ...params, name: params.name ?? name };
}

/**
 * Runs a console script of a distribution; where it is not known what the interpreter has installed, the module that is
 * named like the distribution, as a rule.
 */
function runConsoleScript(
	distribution: string,
	args: readonly string[],
	options: PythonServerOptions,
): StdioServerParams {
	const { folders, isWhole } = searchedFolders(options);
	const name = options.script ?? distribution;
	const scripts = scriptsOf(distribution, folders);
	const script = scripts?.find((candidate) => candidate.name === name) ?? onlyAlias(scripts, name);
	if (script) return runPython([...runScript(script), ...args], options);
	if (scripts) {
		const names = scripts.map((candidate) => candidate.name).join(", ");
		throw new Error(
			names === ""
				? `The Python distribution ${distribution} has no console scripts; run its module: pythonServer("its_module")`
				: `The Python distribution ${distribution} has no console script ${name}; choose one with the option script: ${names}`,
		);
	}
	const module = distribution.replaceAll("-", "_");
	if (!isWhole && isModuleName(module)) return runPython(["-m", module, ...args], options);
	throw notInstalled(distribution, folders);
}

/** The params that run a console script of any installed distribution; `undefined` when none has it. */
export function runAnyScript(
	name: string,
	args: readonly string[],
	options: PythonServerOptions,
): StdioServerParams | undefined {
	const script = scriptNamed(name, searchedFolders(options).folders);
	return script && runPython([...runScript(script), ...args], options);
}

/** Names are compared as package indexes do: `mcp_server_time` runs the script `mcp-server-time`. */
function onlyAlias(scripts: readonly ConsoleScript[] | undefined, name: string): ConsoleScript | undefined {
	return scripts?.find((candidate) => normalize(candidate.name) === normalize(name));
}

function notInstalled(distribution: string, folders: readonly string[]): Error {
	return new Error(
		`The Python distribution ${distribution} is not installed. Install it (pip install ${distribution}) into the image, or into a folder that is deployed with the function (pip install --target python ${distribution}), which the option packages names. It was looked for in ${folders.join(", ")}`,
	);
}

/** Where Python would find a distribution; `isWhole` tells whether that is known of the interpreter itself. */
function searchedFolders(options: PythonServerOptions): { readonly folders: string[]; readonly isWhole: boolean } {
	validateOptions("options", options, optionRules());
	const { from, python, packages, ...params } = options;
	const own = sitePackagesOf(findPython(python, from));
	const listed = givenPath(params)?.split(delimiter) ?? [];
	return { folders: [...packageFolders(packages, from), ...listed, ...own], isWhole: own.length > 0 };
}

/** The params that run Python with any arguments. */
export function runPython(args: readonly string[], options: PythonServerOptions): StdioServerParams {
	validateOptions("options", options, optionRules());
	const { from, python, packages, script: _script, ...params } = options;
	const env: Record<string, string> = {
		PYTHONUNBUFFERED: "1",
		PYTHONUTF8: "1",
		PYTHONDONTWRITEBYTECODE: "1",
		...params.env,
	};
	const path = [...packageFolders(packages, from), givenPath(params)].filter((folder) => folder !== undefined);
	if (path.length > 0) env.PYTHONPATH = path.join(delimiter);
	return { ...params, command: findPython(python, from), args: [...args], env };
}

function isModuleName(name: unknown): boolean {
	return (
		typeof name === "string" &&
		/^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*$/u.test(name) &&
		!name.endsWith(".py")
	);
}

/** https://packaging.python.org/en/latest/specifications/name-normalization/#name-format */
function checkDistribution(name: unknown): void {
	if (typeof name === "string" && name.endsWith(".py")) {
		throw new TypeError(`module must be the name of a module, not the file ${name}; run a file with command and args`);
	}
	if (typeof name === "string" && /^[a-z\d]([\w.-]*[a-z\d])?$/i.test(name)) return;
	throw new TypeError(
		`module must be the name of a Python module, such as "mcp_server_time", or of an installed distribution, such as "mcp-server-time", not ${typeof name === "string" ? JSON.stringify(name) : typeof name}`,
	);
}

function findPython(wanted: string | undefined, from: string | URL | undefined): string {
	const searched =
		wanted === undefined ? interpreters(from) : wanted.includes("/") ? [resolve(wanted)] : onPath(wanted);
	const found = searched.find((path) => isExecutable(path) && statSync(path).isFile());
	if (found !== undefined) return found;
	throw new Error(
		`No Python was found: looked for ${searched.join(", ")}. Lambda's Node runtimes have none; deploy an image or a layer with Python, or name the interpreter with the option python`,
	);
}

function interpreters(from: string | URL | undefined): string[] {
	const environments = [
		process.env.VIRTUAL_ENV,
		...places(from).map((folder) => join(folder, ".venv")),
		"/opt/venv",
		"/opt/python",
		"/opt",
		"/var/lang",
	];
	const inFolders = environments.flatMap((folder) =>
		folder ? [resolve(folder, "bin/python3"), resolve(folder, "bin/python")] : [],
	);
	return [...new Set([...inFolders, ...onPath("python3"), ...onPath("python")])];
}

function onPath(name: string): string[] {
	const folders = (process.env.PATH ?? "").split(delimiter);
	return folders.flatMap((folder) => (folder ? [resolve(folder, name)] : []));
}

function packageFolders(packages: string | URL | undefined, from: string | URL | undefined): string[] {
	if (packages === undefined) {
		const beside = [from === undefined ? undefined : folderOf(from), process.env.LAMBDA_TASK_ROOT];
		const folders = [...beside.flatMap((folder) => (folder ? [resolve(folder, "python")] : [])), "/opt/python"];
		return [...new Set(folders)].filter((folder) => existsSync(folder));
	}
	const folder = pathOf(packages);
	if (existsSync(folder)) return [folder];
	throw new Error(`options.packages names ${folder}, which does not exist; install into it with pip install --target`);
}

/** The PYTHONPATH that the server would have had: what `env` says, or what it inherits. */
function givenPath({ env, inheritEnv }: PythonServerOptions): string | undefined {
	const inherits = inheritEnv === "all" || (Array.isArray(inheritEnv) && inheritEnv.includes("PYTHONPATH"));
	return (env?.PYTHONPATH ?? (inherits ? process.env.PYTHONPATH : undefined)) || undefined;
}
