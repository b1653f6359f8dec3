/** A command line without what a desktop puts around it: `env`, `cmd /c`, a shell. */
export type BareCommand = {
	readonly command: string;
	readonly args: readonly string[];
	/** The variables that were set in front of it. */
	readonly env: Readonly<Record<string, string>>;
};

/** The name of a program, without the folder and ending that it has on someone's desktop. */
export function programOf(command: string): string {
	return (command.split(/[\\/]/).at(-1) ?? "").replace(/\.(exe|cmd|bat)$/i, "");
}

const runners = /\b(npx|bunx|pnpx|npm|pnpm|uvx|uv|pipx|docker|podman)\b/;

/** Takes the wrappers off; throws a TypeError, with `where`, for a shell's text that hides a package runner. */
export function unwrap(command: string, args: readonly string[], where: string): BareCommand {
	const tool = programOf(command);
	const [first = ""] = args;
	if (tool === "env") return unwrapEnv(command, args, where);
	if (tool === "cmd" && /^\/[cs]$/i.test(first)) return unwrap(args[1] ?? "", args.slice(2), where);
	if (/^(ba|z|da)?sh$/.test(tool) && /^-[a-z]*c$/.test(first)) {
		const text = args[1] ?? "";
		const words = simpleWords(text);
		if (words) return unwrapEnv("env", words[0] === "exec" ? words.slice(1) : words, where);
		if (runners.test(text)) {
			throw new TypeError(`${where} starts a package runner within a shell's text; write it as command and args`);
		}
	}
	return { command, args, env: {} };
}

/** `env -S "NAME=value … command …"`, and the assignments in front of a shell's command. */
function unwrapEnv(command: string, args: readonly string[], where: string): BareCommand {
	const words = args.flatMap((arg, index) => {
		const isSplit = index > 0 && /^(-S|--split-string)$/.test(args[index - 1] ?? "");
		return isSplit ? (simpleWords(arg) ?? [arg]) : /^(-S|--split-string)$/.test(arg) ? [] : [arg];
	});
	const env: Record<string, string> = {};
	let index = 0;
	for (; index < words.length; index += 1) {
		const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(words[index] ?? "") ?? [];
		if (name === undefined || value === undefined) break;
		env[name] = value;
	}
	const [next, ...rest] = words.slice(index);
	// Flags of env's that do something stay, and so does env.
	if (next === undefined || next.startsWith("-")) return { command, args, env: {} };
	const inner = unwrap(next, rest, where);
	return { ...inner, env: { ...env, ...inner.env } };
}

/** The words of a shell's text that needs no shell; `undefined` where one would do more than to split it. */
function simpleWords(text: string): string[] | undefined {
	const words: string[] = [];
	const pattern = /\s*((?:[\w@%+=:,./~-]|'[^']*'|"[^"$`\\]*")+)(?=\s|$)/y;
	while (pattern.lastIndex < text.trimEnd().length) {
		const word = pattern.exec(text)?.[1];
		if (word === undefined || word.startsWith("~")) return undefined;
		words.push(
			word.replaceAll(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? ""),
		);
	}
	return words;
}
