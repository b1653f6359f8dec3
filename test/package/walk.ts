import { readFileSync } from "node:fs";
import { type Block, blocksOf, root } from "../docs/snippets.ts";

/** What a reader does who follows a page: saves files and types commands. */
export type Walk = {
	readonly page: string;
	readonly files: readonly Block[];
	readonly commands: readonly string[];
};

/** Of a page: its blocks that are marked `packed`. */
export function walkThrough(page: string): Walk {
	const packed = blocksOf(page).filter(({ kind }) => kind === "packed");
	const commands = packed.filter(({ language, file }) => language === "sh" && file === undefined);
	return {
		page,
		files: packed.filter(({ file }) => file !== undefined),
		commands: commands.flatMap(({ code }) => code.split("\n")),
	};
}

/** Of a section of a page whose commands stand in its sentences. */
export function walkThroughSection(page: string, heading: string): Walk {
	const text =
		readFileSync(`${root}${page}`, "utf8")
			.split(/^## /m)
			.find((part) => part.startsWith(`${heading}\n`)) ?? "";
	const sentences = text.replaceAll(/^```[\s\S]*?^```$/gm, "");
	return {
		page,
		files: blocksOf(page).filter(({ file, code }) => file !== undefined && text.includes(code)),
		commands: [...sentences.matchAll(/`((?:npm|npx|node) [^`]+)`/g)].map(([, command = ""]) => command),
	};
}
