import { delimiter, join } from "node:path";
import type { StdioServerParams } from "../params.ts";
import { programOf } from "./desktop-wrappers.ts";
import { isExecutable } from "./executable.ts";
import { installedVersion, npmServer } from "./npm-server.ts";
import type { CommandOptions } from "./options.ts";
import { pythonServer, runAnyScript, runPython } from "./python-server.ts";

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
	const [first = ""] = args;
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
	if (!/[\\/]/.test(command) && !/^node(js)?$/.test(tool)) {
		const script = fromInstalledScript(tool, args, options);
		if (script) return script;
	}
	const { from: _from, ...params } = options;
	return { ...params, command: /^node(js)?$/.test(tool) ? process.execPath : command, args: [...args] };
}

/** A script that pip has put on a desktop's PATH is run where its package is deployed, unless PATH has it there as well. */
function fromInstalledScript(
	name: string,
	args: readonly string[],
	options: CommandOptions,
): StdioServerParams | undefined {
	const onPath = (process.env.PATH ?? "").split(delimiter).some((folder) => folder && isExecutable(join(folder, name)));
	if (onPath && !/^(mcp|fastmcp)$/.test(name)) return undefined;
	try {
		return runAnyScript(name, args, options);
	} catch {
		// There is no Python: the command stays as it is.
		return undefined;
	}
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

/** Made when asked for: a bundle without `fromHostConfig` has none of it. */
const npxFlags = () => ({
	"-p": "package",
	"--package": "package",
	...ignored(
		"--registry --cache --loglevel --userconfig --globalconfig --prefix -C --tag --before --omit --include --workspace -w",
		"--script-shell --cafile --ca --cert --key --proxy --https-proxy --noproxy --user-agent --otp --scope --location",
		"--fetch-retries --fetch-timeout --fetch-retry-factor --fetch-retry-mintimeout --fetch-retry-maxtimeout --maxsockets",
	),
});
const npxSwitches =
	/^(-y|--yes|-q|--quiet|-s|--silent|-f|--force|-g|--global|-d+|--verbose|--bun|--ignore-existing|--ignore-scripts|--offline|--prefer-(offline|online)|--legacy-peer-deps|--strict-ssl|--progress|--color|--audit|--fund|--update-notifier|--foreground-scripts|--no-?[\w-]*)$/;

/** Flags with a value that means nothing where everything is installed. */
function ignored(...lines: readonly string[]): Readonly<Record<string, string>> {
	const flags = lines.flatMap((line) => line.split(" "));
	return Object.fromEntries(flags.map((flag) => [flag, "ignored"]));
}

/** Programs that only pass messages on to a server elsewhere, when they are given its URL. */
const remoteBridges = /^(mcp-remote|supergateway|mcp-proxy|mcp-proxy-for-aws|@smithery\/cli)$/;

/** Runs what a package gives; where it is a bridge that is not installed, the server that is wanted is another. */
function unlessRemote(
	host: HostCommand,
	name: string,
	args: readonly string[],
	run: () => StdioServerParams,
): StdioServerParams {
	try {
		return run();
	} catch (cause) {
		const url = args.find((arg) => /^https?:\/\//i.test(arg));
		if (url === undefined || !remoteBridges.test(name)) throw cause;
		throw new TypeError(
			`${host.where} is a remote server that ${name} passes messages on to: there is nothing to run; connect to it directly, at ${URL.parse(url)?.host ?? "its URL"}`,
			{ cause },
		);
	}
}

function fromNpx(host: HostCommand, args: readonly string[], options: CommandOptions): StdioServerParams {
	const { values, rest } = readFlags(host, args, npxFlags(), npxSwitches);
	const [target = "", ...serverArgs] = rest;
	const spec = values.package ?? target;
	// A URL may have a token in it: it is not shown.
	if (/[:\\]|^[./~]/.test(spec)) {
		throw new TypeError(`${host.where} runs no package by its name; install it and use npmServer with the name it has`);
	}
	const [, name = spec, version = ""] = /^(.[^@]*)@(.*)$/s.exec(spec) ?? [];
	const bin = values.package && target ? target : undefined;
	const params = unlessRemote(host, name, serverArgs, () => npmServer(name, serverArgs, { ...options, bin }));
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

const uvFlags = () => ({
	"--from": "package",
	"--spec": "package",
	"--directory": "directory",
	"-m": "module",
	"--module": "module",
	...ignored(
		"--python -p --with -w --with-editable --with-requirements --project --index-url -i --index --default-index",
		"--extra-index-url --find-links -f --index-strategy --keyring-provider --extra --group --package --prerelease",
		"--resolution --fork-strategy --exclude-newer --link-mode --constraints -c --overrides --build-constraints",
		"--cache-dir --config-file --config-setting -C --color --python-preference --python-platform --torch-backend",
		"--allow-insecure-host --refresh-package --reinstall-package --upgrade-package -P --pip-args --suffix --env-file",
	),
});
const uvSwitches =
	/^(-q+|--quiet|-v+|--verbose|-n|--offline|--refresh|--reinstall|-U|--upgrade|--isolated|--frozen|--locked|--active|--exact|--all-extras|--all-groups|--dev|--managed-python|--native-tls|--system-certs|--preview|--pre|--no-[\w-]+)$/;

/** What `uvx` and `pipx run` run: a console script of a package, as a rule the one that is named like it. */
function fromPackage(host: HostCommand, args: readonly string[], options: CommandOptions): StdioServerParams {
	const { values, rest } = readFlags(host, args, uvFlags(), uvSwitches);
	const [target = "", ...serverArgs] = rest;
	if (host.module !== undefined) return pythonServer(host.module, serverArgs, options);
	if (values.package === undefined) {
		const name = distributionOf(target);
		if (name === undefined) throw notByName(host);
		return runScriptOf(host, name, name, serverArgs, options);
	}
	const script = distributionOf(target) ?? target;
	const name = distributionOf(values.package);
	if (name !== undefined) return runScriptOf(host, name, script, serverArgs, options);
	// A repository or an archive says nothing about the name of what it installs.
	const params = runAnyScript(script, serverArgs, options);
	if (!params) throw notByName(host, script);
	return { ...params, name: options.name ?? script };
}

function runScriptOf(
	host: HostCommand,
	name: string,
	script: string,
	args: readonly string[],
	options: CommandOptions,
): StdioServerParams {
	return unlessRemote(host, name, args, () => pythonServer(name, args, { ...options, script }));
}

function fromUv(host: HostCommand, options: CommandOptions): StdioServerParams {
	const before = readFlags(host, host.args, uvFlags(), uvSwitches);
	const [verb, ...more] = before.rest;
	if (verb === "tool" && more[0] === "run") return fromPackage(host, more.slice(1), options);
	if (verb === "x") return fromPackage(host, more, options);
	if (verb !== "run") throw new TypeError(`${host.where}: uv has to be followed by run or tool run`);
	const { values, rest } = readFlags(host, more, uvFlags(), uvSwitches);
	const cwd = options.cwd ?? values.directory ?? before.values.directory;
	const placed = cwd === undefined ? options : { ...options, cwd };
	if (values.module !== undefined) return pythonServer(host.module ?? values.module, rest, placed);
	const [target = "", ...serverArgs] = rest;
	if (target.endsWith(".py")) return runPython(rest, placed);
	if (/^python[\d.]*$/.test(target)) return fromPython({ ...host, command: target, args: serverArgs }, placed);
	if (host.module !== undefined) return pythonServer(host.module, serverArgs, placed);
	const name = distributionOf(target);
	if (name === undefined) throw notByName(host);
	const params = runAnyScript(name, serverArgs, placed);
	return params ? { ...params, name: placed.name ?? name } : runScriptOf(host, name, name, serverArgs, placed);
}

/** `mcp-server-time[extra]==1.2` is the distribution `mcp-server-time`; a URL or a path is none. */
function distributionOf(spec: string): string | undefined {
	return /^([a-z\d](?:[\w.-]*[a-z\d])?)\s*(?:\[[^\]]*\])?\s*(?:[@=<>~!].*)?$/is.exec(spec.split(" @ ")[0] ?? "")?.[1];
}

function notByName(host: HostCommand, script?: string): TypeError {
	const what = script === undefined ? "" : `, and no installed package has the script ${script}`;
	return new TypeError(
		`${host.where} runs no Python package by its name${what}; install it with pip and use pythonServer with the name it has, or name its module with the option module`,
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
