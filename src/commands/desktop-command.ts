import type { StdioServerParams } from "../params.ts";
import { isExecutable } from "./executable.ts";
import { installedVersion, npmServer } from "./npm-server.ts";
import type { CommandOptions } from "./options.ts";
import { pythonServer, runPython } from "./python-server.ts";

/** A command line as a host has it, with its variables filled in, and how to speak of its server in errors. */
export type HostCommand = {
	readonly where: string;
	readonly command: string;
	readonly args: readonly string[];
	readonly module: string | undefined;
};

/** The params that do in a deployed function what a command line does on a desktop. */
export function paramsOf(host: HostCommand, options: CommandOptions): StdioServerParams {
	const { command, args } = host;
	const tool = programOf(command);
	const [first = "", second = ""] = args;
	if (tool === "cmd" && /^\/c$/i.test(first))
		return paramsOf({ ...host, command: second, args: args.slice(2) }, options);
	if (/^(npx|bunx|pnpx)$/.test(tool)) return fromNpx(host, args, options);
	if (/^(npm|pnpm|yarn|bun)$/.test(tool) && /^(exec|x|dlx)$/.test(first)) return fromNpx(host, args.slice(1), options);
	if (tool === "uvx") return fromPackage(host, args, options);
	if (tool === "uv") return fromUv(host, options);
	if (tool === "pipx" && first === "run") return fromPackage(host, args.slice(1), options);
	if (/^py(thon[\d.]*)?$/.test(tool)) return fromPython(host, options);
	if (/^(docker|podman|nerdctl)$/.test(tool)) {
		throw new TypeError(
			`${host.where} runs in a container (${tool}), and Lambda has none to start: deploy the server's package with the function and use npmServer or pythonServer, or build the function's own image from the server's`,
		);
	}
	const { from: _from, ...params } = options;
	return { ...params, command: /^node(js)?$/.test(tool) ? process.execPath : command, args: [...args] };
}

/** The name of a program, without the folder and ending that it has on someone's desktop. */
function programOf(command: string): string {
	return (command.split(/[\\/]/).at(-1) ?? "").replace(/\.(exe|cmd|bat)$/i, "");
}

type Flags = { readonly values: Readonly<Record<string, string>>; readonly rest: readonly string[] };

/** Reads a runner's own flags, up to what it runs; `known` are those that have a value, and what they are called here. */
function readFlags(
	host: HostCommand,
	args: readonly string[],
	known: Readonly<Record<string, string>>,
	bare: RegExp,
): Flags {
	const values: Record<string, string> = {};
	let index = 0;
	for (; index < args.length; index += 1) {
		const arg = args[index] ?? "";
		if (arg === "--") return { values, rest: args.slice(index + 1) };
		if (!arg.startsWith("-")) break;
		const [flag = "", ...value] = arg.split("=");
		const name = Object.hasOwn(known, flag) ? known[flag] : undefined;
		if (name !== undefined) {
			if (value.length === 0) index += 1;
			values[name] = value.length === 0 ? (args[index] ?? "") : value.join("=");
			if (name === "module") return { values, rest: args.slice(index + 1) };
		} else if (!bare.test(flag)) {
			throw new TypeError(
				`${host.where}: what ${flag} of ${programOf(host.command)} means for a deployed function is not known; use npmServer, pythonServer or the command itself`,
			);
		}
	}
	return { values, rest: args.slice(index) };
}

const npxFlags = { "-p": "package", "--package": "package", "--registry": "ignored", "--cache": "ignored" };
const npxSwitches =
	/^(-y|--yes|-q|--quiet|-s|--silent|--bun|--no|--no-install|--ignore-existing|--offline|--prefer-o(ff|n)line|--loglevel)$/;

function fromNpx(host: HostCommand, args: readonly string[], options: CommandOptions): StdioServerParams {
	const { values, rest } = readFlags(host, args, npxFlags, npxSwitches);
	const [target = "", ...serverArgs] = rest;
	const spec = values.package ?? target;
	// A URL may have a token in it: it is not shown.
	if (/[:\\]|^[./~]/.test(spec)) {
		throw new TypeError(`${host.where} runs no package by its name; install it and use npmServer with the name it has`);
	}
	const [, name = spec, version = ""] = /^(.[^@]*)@(.*)$/s.exec(spec) ?? [];
	const params = npmServer(name, serverArgs, { ...options, bin: values.package && target ? target : undefined });
	// A range or a tag says which to install, and that is done; an exact version is a promise.
	if (!/^\d+\.\d+\.\d+/.test(version)) return params;
	const installed = installedVersion(name, options.from);
	if (version !== installed) {
		throw new TypeError(
			`${host.where} wants ${spec}, and installed is ${installed}; install that version or change the configuration`,
		);
	}
	return params;
}

const uvFlags = {
	"--from": "package",
	"--spec": "package",
	"--directory": "directory",
	"-m": "module",
	"--module": "module",
	"--python": "ignored",
	"-p": "ignored",
	"--with": "ignored",
	"-w": "ignored",
	"--with-editable": "ignored",
	"--with-requirements": "ignored",
	"--project": "ignored",
	"--index-url": "ignored",
	"--index": "ignored",
	"--extra": "ignored",
	"--prerelease": "ignored",
};
const uvSwitches = /^(-q|--quiet|--offline|--refresh|--isolated|--frozen|--locked|--active|--native-tls|--no-[\w-]+)$/;

function fromPackage(host: HostCommand, args: readonly string[], options: CommandOptions): StdioServerParams {
	const { values, rest } = readFlags(host, args, uvFlags, uvSwitches);
	const [target = "", ...serverArgs] = rest;
	return pythonServer(host.module ?? moduleOf(host, values.package ?? target), serverArgs, options);
}

function fromUv(host: HostCommand, options: CommandOptions): StdioServerParams {
	const before = readFlags(host, host.args, uvFlags, uvSwitches);
	const [verb, ...more] = before.rest;
	if (verb === "tool" && more[0] === "run") return fromPackage(host, more.slice(1), options);
	if (verb === "x") return fromPackage(host, more, options);
	if (verb !== "run") throw new TypeError(`${host.where}: uv has to be followed by run or tool run`);
	const { values, rest } = readFlags(host, more, uvFlags, uvSwitches);
	const cwd = options.cwd ?? values.directory ?? before.values.directory;
	const placed = cwd === undefined ? options : { ...options, cwd };
	if (values.module !== undefined) return pythonServer(host.module ?? values.module, rest, placed);
	const [target = "", ...serverArgs] = rest;
	if (target.endsWith(".py")) return runPython(rest, placed);
	if (/^python[\d.]*$/.test(target)) return fromPython({ ...host, command: target, args: serverArgs }, placed);
	return pythonServer(host.module ?? moduleOf(host, target), serverArgs, placed);
}

/** `mcp-server-time[extra]==1.2` is the package of the module `mcp_server_time`, as a rule. */
function moduleOf(host: HostCommand, spec: string): string {
	const [, name] = /^([\w.-]+)(?:\[.*?\])?(?:\s*[@=<>~!].*)?$/s.exec(spec) ?? [];
	if (name !== undefined) return name.replaceAll("-", "_");
	throw new TypeError(
		`${host.where} runs something that is no name of a Python package; install it and name its module with the option module`,
	);
}

function fromPython(host: HostCommand, options: CommandOptions): StdioServerParams {
	const { command, args } = host;
	// The interpreter of a desktop is seldom where the function is deployed.
	const python = command.includes("/") && isExecutable(command) ? command : undefined;
	const at = args.indexOf("-m");
	if (at >= 0 && args.slice(0, at).every((arg) => /^-[uBEIsS]+$/.test(arg))) {
		return pythonServer(host.module ?? args[at + 1] ?? "", args.slice(at + 2), { ...options, python });
	}
	return runPython(args, { ...options, python });
}
