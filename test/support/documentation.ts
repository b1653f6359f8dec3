import { readFileSync } from "node:fs";

/**
 * What the doc comments of the option types of a file under `src` say after `@default`, `undefined` where they say nothing;
 * with a type's name, those of that type only.
 */
export function documentedDefaults(file: string, type?: string): Map<string, string | undefined> {
	const whole = readFileSync(new URL(`../../src/${file}`, import.meta.url), "utf8");
	const source = type === undefined ? whole : (whole.split(`export type ${type} = {`)[1]?.split("\n};")[0] ?? "");
	const options = source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*readonly (\w+)\??:/g);
	return new Map(
		Array.from(options, ([, comment = "", name = ""]) => {
			const text = comment.replace(/\n\s*\*/g, "\n");
			return [name, /@default (.+?)\s*$/m.exec(text)?.[1]];
		}),
	);
}

/** The names that a resolver accepts: what it says when it is given another. */
export function acceptedNames(resolve: () => unknown): string[] {
	try {
		resolve();
	} catch (error) {
		return /the options are (.+)$/.exec((error as Error).message)?.[1]?.split(", ") ?? [];
	}
	return [];
}
