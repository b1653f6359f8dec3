import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { isObject } from "../jsonrpc.ts";
import type { StdioServerParams } from "../params.ts";
import { environmentVariables, isText, type OptionRules, text, validateOptions } from "../validate.ts";
import { type HostCommand, paramsOf } from "./desktop-command.ts";
import { expand } from "./desktop-variables.ts";
import { unwrap } from "./desktop-wrappers.ts";
import { type CommandOptions, commandRules } from "./options.ts";
import { places } from "./places.ts";

export type HostConfigOptions = CommandOptions & {
	/** The module of a Python package to run in place of its console script. */
	readonly module?: string | undefined;
	/** What `${input:id}` stands for, by id: what VS Code asks its user for. @default {} */
	readonly inputs?: Readonly<Record<string, string>> | undefined;
};

const optionRules = (): OptionRules<HostConfigOptions> => ({
	...commandRules(),
	module: text,
	inputs: environmentVariables,
});

/**
 * The params that run a server of a desktop host's configuration: Claude Desktop's, Claude Code's or Cursor's `mcpServers`,
 * VS Code's `servers`; as JSON text (comments and trailing commas are allowed) or parsed. It is read where the function is
 * deployed, never from an event. Members that concern only the host are ignored.
 *
 * A package runner is replaced by what it would run, as installed with the function: `npx`, `bunx` and the like by
 * `npmServer`, `uvx`, `uv run` and `pipx run` by `pythonServer` (the console script of the installed distribution, unless
 * the option `module` names a module), `mcp run` and `fastmcp run` by theirs, `node` by this process's Node, `python` by the
 * interpreter that `pythonServer` finds. `env`, `cmd /c` and a shell around them are taken off. An exact version of an npm
 * package has to be the installed one; ranges, tags and versions of Python packages are not compared. Any other command is
 * kept.
 *
 * `${env:NAME}`, `${NAME}` and `${NAME:-default}` are filled in from this process's environment, `${input:id}` from the
 * option `inputs`, `${workspaceFolder}` is the first folder of the search (`from`). The options' `env` goes over the entry's.
 *
 * Throws a TypeError that says what is wrong with the configuration: no such server, a remote server, Docker, a variable
 * that is not set; and whatever `npmServer` and `pythonServer` throw. No message shows a value of the configuration's `env`.
 *
 * @example
 * ```ts
 * import { fromHostConfig } from "mcp-stdio-lambda";
 *
 * const config = { mcpServers: { files: { command: "npx", args: ["-y", "@modelcontextprotocol/server-filesystem", "/tmp"] } } };
 * const params = fromHostConfig(config, "files", { from: import.meta.url });
 * ```
 */
export function fromHostConfig(json: unknown, name: string, options: HostConfigOptions = {}): StdioServerParams {
	validateOptions("options", options, optionRules());
	const { module, inputs = {}, from, ...params } = options;
	const entry = findEntry(typeof json === "string" ? parse(json) : json, name);
	const where = `The server ${JSON.stringify(name)}`;
	const remote = ["url", "serverUrl", "httpUrl"].find((key) => key in entry);
	if (remote !== undefined || (entry.type !== undefined && entry.type !== "stdio")) {
		throw new TypeError(
			`${where} is a remote one (${remote ?? `type ${JSON.stringify(entry.type)}`}): there is nothing to run; connect to it directly`,
		);
	}
	const [folder = ""] = places(from);
	const fill = (value: string): string => expand(value, where, folder, inputs);
	const { command, args, cwd, env } = checkEntry(entry, where);
	const fromFile = typeof entry.envFile === "string" ? readEnvFile(resolve(folder, fill(entry.envFile)), where) : {};
	const filled = Object.entries(env).map(([key, value]) => [key, fill(value)]);
	const bare = unwrap(fill(command), args.map(fill), where);
	const host: HostCommand = { where, command: bare.command, args: bare.args, module };
	const merged = { ...fromFile, ...Object.fromEntries(filled), ...bare.env, ...params.env };
	return paramsOf(host, {
		...params,
		...(Object.keys(merged).length > 0 && { env: merged }),
		cwd: params.cwd ?? (cwd === undefined ? undefined : fill(cwd)),
		from,
		name: params.name ?? name,
	});
}

type Entry = {
	readonly command: string;
	readonly args: readonly string[];
	readonly cwd: string | undefined;
	readonly env: Readonly<Record<string, string>>;
};

function checkEntry(entry: Readonly<Record<string, unknown>>, where: string): Entry {
	const { command, args = [], env = {}, cwd } = entry;
	const wrong = (member: string, expected: string) => new TypeError(`${where}: ${member} must be ${expected}`);
	if (!isText(command) || command === "") throw wrong("command", "a string that is not empty");
	if (!Array.isArray(args) || !args.every(isText)) throw wrong("args", "an array of strings");
	if (!environmentVariables.accepts(env)) {
		const { member, what } = environmentVariables.problem?.(env) ?? {
			member: "",
			what: `must be ${environmentVariables.expected}`,
		};
		throw new TypeError(`${where}: env${member} ${what}`);
	}
	if (cwd !== undefined && !isText(cwd)) throw wrong("cwd", "a string");
	return { command, args, env: env as Entry["env"], cwd };
}

function findEntry(config: unknown, name: string): Readonly<Record<string, unknown>> {
	const root = isObject(config) ? config : {};
	const servers = root.mcpServers ?? root.servers ?? (isObject(root.mcp) ? root.mcp.servers : undefined);
	if (!isObject(servers)) {
		throw new TypeError('json must be a host\'s configuration: an object, or its JSON, with "mcpServers" or "servers"');
	}
	const entry = Object.hasOwn(servers, name) ? servers[name] : undefined;
	if (isObject(entry)) return entry;
	const names = Object.keys(servers).map((key) => JSON.stringify(key));
	throw new TypeError(
		`The configuration has no server ${JSON.stringify(name)}; it has ${names.join(", ") || "none at all"}`,
	);
}

function parse(json: string): unknown {
	// A file's content begins with a brace, behind blanks and comments.
	if (/^(~|\.{0,2}\/|[A-Za-z]:\\|file:)|^[\w. -]+\.jsonc?$/.test(json.trim()) && !/^\/[/*]/.test(json.trim())) {
		throw new TypeError("json must be the text of a host's configuration, and this looks like its path; read the file");
	}
	try {
		return JSON.parse(withoutComments(json));
	} catch (error) {
		// The message of a SyntaxError shows the text around, which may be a secret.
		const [position] = /position \d+/.exec((error as Error).message) ?? ["an unknown position"];
		throw new TypeError(`json is not JSON: there is an error at ${position}`);
	}
}

/** The same with blanks in place of comments, trailing commas and a byte-order mark, so that positions stay. */
function withoutComments(json: string): string {
	const blank = (match: string, quoted?: string): string => quoted ?? match.replace(/[^\n]/g, " ");
	return json
		.replace(/^\uFEFF/, " ")
		.replace(/("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, blank)
		.replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, blank);
}

function readEnvFile(path: string, where: string): Record<string, string> {
	try {
		// An import of node:util opens standard error, which would cost every function that has no envFile.
		return process.getBuiltinModule("node:util").parseEnv(readFileSync(path, "utf8")) as Record<string, string>;
	} catch (cause) {
		throw new TypeError(`${where}: its envFile ${path} cannot be read; deploy it, or give its values in options.env`, {
			cause,
		});
	}
}
