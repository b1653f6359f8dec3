import { basename } from "node:path";
import {
	environmentVariables,
	integer,
	isText,
	listOfTexts,
	type OptionRules,
	oneOf,
	text,
	validateOptions,
} from "./validate.ts";

/**
 * Which MCP server to run: the shape of an entry under `mcpServers` in a desktop host's configuration. Command, args and
 * env come from whoever deploys, never from an event. No shell is involved.
 */
export type StdioServerParams = {
	/** The executable: a path, or a name that is looked up on PATH. */
	readonly command: string;
	/** Its arguments. @default [] */
	readonly args?: readonly string[] | undefined;
	/** Environment variables for the server, over those that it gets anyway (see `inheritEnv`). @default {} */
	readonly env?: Readonly<Record<string, string>> | undefined;
	/** The folder it runs in. @default the current one */
	readonly cwd?: string | undefined;
	/** Accepted because desktop hosts write it; nothing else is supported. @default "stdio" */
	readonly type?: "stdio" | undefined;
	/** What to call the server in messages and logs. @default the package, script or command that is run */
	readonly name?: string | undefined;
	/**
	 * What the server inherits from this process beyond the default list: `"aws"` adds AWS credentials and region, `"all"`
	 * everything, a list the variables it names. Values are read afresh at each start.
	 *
	 * The default list is PATH, HOME (a writable one), TMPDIR, XDG_CACHE_HOME, npm_config_cache, LANG, TZ,
	 * NODE_EXTRA_CA_CERTS, LD_LIBRARY_PATH and NODE_PATH, and `_X_AMZN_TRACE_ID` where the process is started for one request.
	 * AWS_LAMBDA_RUNTIME_API, NODE_OPTIONS and LD_PRELOAD are passed only when `env` names them.
	 *
	 * @default the default list
	 */
	readonly inheritEnv?: "aws" | "all" | readonly string[] | undefined;
	/** The longest line that the server may write, in bytes; at most 536870888. @default 67108864 (64 MiB) */
	readonly maxMessageBytes?: number | undefined;
};

export type ResolvedServerParams = {
	readonly name: string;
	readonly command: string;
	readonly args: readonly string[];
	readonly env: Readonly<Record<string, string>>;
	readonly cwd: string | undefined;
	readonly inheritEnv: "aws" | "all" | readonly string[];
	readonly maxMessageBytes: number;
};

const defaultMaxMessageBytes = 64 * 1024 * 1024;

/** Checks params and fills in the defaults; a wrong one throws a TypeError that names it, never showing a value of `env`. */
export function resolveParams(params: StdioServerParams): ResolvedServerParams {
	validateOptions("params", params, paramRules);
	return {
		name: params.name ?? serverName(params.command, params.args ?? []),
		command: params.command,
		args: params.args ?? [],
		env: params.env ?? {},
		cwd: params.cwd,
		inheritEnv: params.inheritEnv ?? [],
		maxMessageBytes: params.maxMessageBytes ?? defaultMaxMessageBytes,
	};
}

// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html: whoever reaches the Runtime API can answer invocations;
// the other two make a process run code that it does not bring.
const neverInherited: ReadonlySet<string> = new Set(["AWS_LAMBDA_RUNTIME_API", "NODE_OPTIONS", "LD_PRELOAD"]);

export const paramRules: OptionRules<StdioServerParams> = {
	command: { ...text, required: true },
	args: listOfTexts,
	env: environmentVariables,
	cwd: text,
	type: oneOf("stdio"),
	name: text,
	inheritEnv: {
		expected: `"aws", "all" or an array of names (without ${[...neverInherited].join(", ")}: put those in env)`,
		accepts: (value) =>
			value === "aws" ||
			value === "all" ||
			(Array.isArray(value) && value.every((name) => isText(name) && !neverInherited.has(name))),
	},
	// The longest string that V8 can hold: https://nodejs.org/api/buffer.html#bufferconstantsmax_string_length
	maxMessageBytes: integer(1, 0x1fffffe8),
};

export function isInheritable(name: string): boolean {
	return !neverInherited.has(name);
}

/** What identifies a server: equal keys may share processes. */
export function serverKey(params: ResolvedServerParams): string {
	return JSON.stringify(params);
}

const interpreters = /^(node|nodejs|bun|deno|tsx|npx|bunx|uv|uvx|pipx|python[\d.]*|ruby|java)(\.exe)?$/;

/** What may stand before the script or package, and is no value that could be a secret. */
const beforeScript =
	/^(-y|--yes|-m|-u|-jar|--offline|--prefer-offline|--no-[\w-]+|--allow-[\w-]+|--?[\w-]+=.*|run|tool|exec|x)$/s;

/** A name that shows no argument which could be a secret: the package or script that an interpreter runs, or the command. */
function serverName(command: string, args: readonly string[]): string {
	// Arguments that stand in the command by mistake may be secrets as well.
	const [program = command] = command.trim().split(/\s/);
	const path = (interpreters.test(basename(command)) ? scriptAmong(args) : undefined) ?? program;
	const [scopeOrName = "", name = ""] = path
		.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)
		.split("/");
	if (path.includes("node_modules/") && scopeOrName !== ".bin") {
		return scopeOrName.startsWith("@") ? `${scopeOrName}/${name}` : scopeOrName;
	}
	return /^@[^/]+\/[^/]+$/.test(path) ? path : basename(path);
}

/** The first argument that must be the script or package, when it looks like one; an unknown option may have a value. */
function scriptAmong(args: readonly string[]): string | undefined {
	const candidate = args.find((arg) => !beforeScript.test(arg));
	const isPath = candidate !== undefined && /^[\w@.~/\\][\w@.~/\\:+ -]{0,300}$/.test(candidate);
	return isPath && !candidate.includes("://") ? candidate : undefined;
}
