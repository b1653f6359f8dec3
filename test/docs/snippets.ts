import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A piece of code in a page, and how it is tried. */
export type Snippet = {
	/** Where it stands: `docs/client.md:12`. */
	readonly place: string;
	readonly language: "js" | "ts";
	/**
	 * `handler` is run as a function, `program` and `local` by Node.js, `example` (of the reference) is compiled; `undefined`
	 * where the page does not say.
	 */
	readonly kind: string | undefined;
	readonly code: string;
};

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

/** The JavaScript and TypeScript of a page: `<!-- handler -->` or `<!-- program -->` stands in the line before it. */
export function snippetsOf(page: string): Snippet[] {
	const lines = readFileSync(`${root}${page}`, "utf8").split("\n");
	return lines.flatMap((line, index) => {
		const language = /^```(js|ts|javascript|typescript)\b/.exec(line)?.[1];
		if (!language) return [];
		const end = lines.indexOf("```", index + 1);
		const before = lines.slice(0, index).findLast((other) => other.trim() !== "") ?? "";
		return [
			{
				place: `${page}:${index + 1}`,
				language: language.startsWith("t") ? ("ts" as const) : ("js" as const),
				kind: /^#+ Example$/.test(before) ? "example" : /^<!-- (\S+) -->$/.exec(before)?.[1],
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
