import { existsSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import type { StdioServerParams } from "../params.ts";
import { type OptionRules, text, validateOptions } from "../validate.ts";
import { isExecutable } from "./executable.ts";
import { type CommandOptions, checkArgs, commandRules, place } from "./options.ts";
import { folderOf, pathOf, places } from "./places.ts";

export type PythonServerOptions = CommandOptions & {
	/** The interpreter: a path, or a name that is looked up on PATH. @default the first that is found */
	readonly python?: string | undefined;
	/**
	 * A folder of Python packages that is deployed with the function (`pip install --target`); it goes first on PYTHONPATH.
	 *
	 * @default "python" beside `from` and in LAMBDA_TASK_ROOT, and /opt/python, as far as they exist
	 */
	readonly packages?: string | URL | undefined;
};

const optionRules = (): OptionRules<PythonServerOptions> => ({ ...commandRules(), python: text, packages: place });

/**
 * The params that run a server that is a Python module: `python -m module`, with the first interpreter that is there of
 * VIRTUAL_ENV; `.venv` beside `from`, in LAMBDA_TASK_ROOT and in the current folder; /opt/venv, /opt/python, /opt
 * and /var/lang; and python3 or python on PATH. Lambda's Node runtimes have no Python: deploy an image or a layer with one.
 *
 * Sets PYTHONUNBUFFERED, PYTHONUTF8 and PYTHONDONTWRITEBYTECODE (Lambda's disk is read-only) unless `env` does. Python is
 * not started to find out whether it has the module. Throws an Error that names every interpreter that was looked for,
 * and a TypeError for wrong arguments.
 *
 * @example
 * ```ts
 * import { pythonServer } from "mcp-stdio-lambda";
 *
 * const params = pythonServer("mcp_server_time", ["--local-timezone", "Europe/Berlin"], { from: import.meta.url });
 * ```
 */
export function pythonServer(
	module: string,
	args: readonly string[] = [],
	options: PythonServerOptions = {},
): StdioServerParams {
	checkModule(module);
	checkArgs(args);
	const params = runPython(["-m", module, ...args], options);
	return { ...params, name: params.name ?? module };
}

/** The params that run Python with any arguments. */
export function runPython(args: readonly string[], options: PythonServerOptions): StdioServerParams {
	validateOptions("options", options, optionRules());
	const { from, python, packages, ...params } = options;
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

function checkModule(module: string): void {
	if (typeof module === "string" && /^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*$/u.test(module)) {
		if (!module.endsWith(".py")) return;
		throw new TypeError(
			`module must be the name of a module, not the file ${module}; run a file with command and args`,
		);
	}
	const proposal = typeof module === "string" && module.includes("-") ? module.replaceAll("-", "_") : undefined;
	throw new TypeError(
		`module must be the name of a Python module${proposal ? `; a package's dashes are underscores there, try ${JSON.stringify(proposal)}` : ', such as "mcp_server_time"'}, not ${typeof module === "string" ? JSON.stringify(module) : typeof module}`,
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
