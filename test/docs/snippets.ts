import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A fenced block of a page, and how it is tried. */
export type Block = {
	/** Where it stands: `docs/client.md:12`. */
	readonly place: string;
	readonly language: string;
	/** The first word of the comment in the line before: `<!-- packed handler.mjs -->`. */
	readonly kind: string | undefined;
	/** The second: the file as which a reader saves it. */
	readonly file: string | undefined;
	readonly code: string;
};

/**
 * A piece of JavaScript or TypeScript. `handler` is run as a function, `program` and `local` by Node.js, `packed` in an empty folder
 * with the packed package (test/package), `example` (of the reference) is compiled; `undefined` where the page does not say.
 */
export type Snippet = Block & { readonly language: "js" | "ts" };

export const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** The README, the pages of docs/ that are written by hand, and the READMEs of the examples. */
export const pages: readonly string[] = [
	"README.md",
	...list("docs", /\.md$/),
	...list("examples", /^[^.]*$/).flatMap((folder) => list(folder, /^README\.md$/)),
];

/** The reference, made from the doc comments: its examples are compiled. */
export const reference: readonly string[] = [
	"docs/api/mcp-stdio-lambda.md",
	...list("docs/api/mcp-stdio-lambda", /\.md$/),
];

export function snippetsOf(page: string): Snippet[] {
	return blocksOf(page).flatMap((block) => {
		const language = /^(js|ts|javascript|typescript)\b/.exec(block.language)?.[1];
		return language ? [{ ...block, language: language.startsWith("t") ? "ts" : "js" }] : [];
	});
}

export function blocksOf(page: string): Block[] {
	const lines = readFileSync(`${root}${page}`, "utf8").split("\n");
	return lines.flatMap((line, index) => {
		const language = /^```(\w.*)$/.exec(line)?.[1];
		if (!language) return [];
		const end = lines.indexOf("```", index + 1);
		const before = lines.slice(0, index).findLast((other) => other.trim() !== "") ?? "";
		const [, kind, file] = /^<!-- (\S+)(?: (\S+))? -->$/.exec(before) ?? [];
		return [
			{
				place: `${page}:${index + 1}`,
				language,
				kind: /^#+ Example$/.test(before) ? "example" : kind,
				file,
				code: lines.slice(index + 1, end).join("\n"),
			},
		];
	});
}

function list(folder: string, name: RegExp): string[] {
	return readdirSync(`${root}${folder}`)
		.filter((entry) => name.test(entry) && entry !== "node_modules")
		.map((entry) => `${folder}/${entry}`);
}
