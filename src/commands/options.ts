import { isObject } from "../jsonrpc.ts";
import { paramRules, type StdioServerParams } from "../params.ts";
import { type OptionRule, type OptionRules, text } from "../validate.ts";

/** What is common to the ways of naming a server: where to look, and the params that go through as they are. */
export type CommandOptions = Omit<StdioServerParams, "command" | "args" | "type"> & {
	/**
	 * Where to look first: a `file:` URL or an absolute path, of a file or of a folder; as a rule `import.meta.url`.
	 *
	 * @default LAMBDA_TASK_ROOT, then the current folder
	 */
	readonly from?: string | URL | undefined;
};

export const place: OptionRule = {
	expected: "a file: URL or an absolute path",
	accepts: (value) =>
		value instanceof URL
			? value.protocol === "file:"
			: text.accepts(value) && /^(\/|file:|[A-Za-z]:)/.test(value as string),
};

/** Made when asked for, here and where they are extended: so a bundle without these functions has none of it. */
export function commandRules(): OptionRules<CommandOptions> {
	const { command: _command, args: _args, type: _type, ...rules } = paramRules;
	return { ...rules, from: place };
}

/** Checks the arguments as the params of a server are checked. */
export function checkArgs(args: readonly string[], caller: string): void {
	if (paramRules.args.accepts(args)) return;
	const hint = isObject(args) ? `; options are the third argument: ${caller}(name, [], { … })` : "";
	throw new TypeError(`args must be an array of strings${hint}`);
}
