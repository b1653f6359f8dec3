import type { ResolvedServerParams } from "../params.ts";

const secretFlag = /^--?[\w-]*(token|key|secret|password|passwd|credential|auth)[\w-]*$/i;
const longest = 300;

/** The command line of a server as a person would type it, for the log; what looks like a secret in it is left out. */
export function commandLineOf({ command, args }: ResolvedServerParams): string {
	const shown = args.map((arg, index) => {
		const [flag = "", ...value] = arg.split("=");
		if (value.length > 0 && secretFlag.test(flag)) return `${flag}=…`;
		return secretFlag.test(args[index - 1] ?? "") && !arg.startsWith("-") ? "…" : arg;
	});
	const text = [command, ...shown].map(quoted).join(" ");
	return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}

function quoted(word: string): string {
	const safe = word.slice(0, longest).replace(/(:\/\/)[^/@\s]*@/g, "$1…@");
	return /^[\w@%+=:,./~…-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", "'\\''")}'`;
}
