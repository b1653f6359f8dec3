import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { pages, reference, root } from "./snippets.ts";

type Link = { readonly place: string; readonly target: string };

const written = [...pages, "examples/README.md", "CHANGELOG.md", "docs/api/README.md", ...reference];

/** The page's lines that are prose: what stands in fences is code. */
function prose(page: string): string[] {
	let isCode = false;
	return readFileSync(join(root, page), "utf8")
		.split("\n")
		.map((line) => {
			const isFence = /^\s*```/.test(line);
			if (isFence) isCode = !isCode;
			return isCode || isFence ? "" : line;
		});
}

function linksOf(page: string): Link[] {
	return prose(page).flatMap((line, index) =>
		[...line.replaceAll(/`[^`]*`/g, "").matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => ({
			place: `${page}:${index + 1}`,
			target,
		})),
	);
}

/** The anchors that are given, and what GitHub makes of headings: https://docs.github.com/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#section-links */
function anchorsOf(page: string): Set<string> {
	const anchors = new Set<string>();
	const counts = new Map<string, number>();
	for (const line of prose(page)) {
		const [, given] = /<a id="([^"]+)">/.exec(line) ?? [];
		if (given !== undefined) anchors.add(given);
		const heading = /^#{1,6} (.+)$/.exec(line)?.[1];
		if (heading === undefined) continue;
		const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1");
		const anchor = text
			.toLowerCase()
			.replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, "")
			.replaceAll(" ", "-");
		const count = counts.get(anchor) ?? 0;
		counts.set(anchor, count + 1);
		anchors.add(count === 0 ? anchor : `${anchor}-${count}`);
	}
	return anchors;
}

function problemWith({ place, target }: Link): string | undefined {
	const page = place.replace(/:\d+$/, "");
	const [path = "", anchor] = target.split("#");
	const file = path === "" ? join(root, page) : join(root, dirname(page), path);
	if (relative(root, file).startsWith("..")) return `${place}: ${target} leaves the repository`;
	if (!existsSync(file)) return `${place}: there is no ${target}`;
	if (anchor === undefined) return undefined;
	if (statSync(file).isDirectory()) return `${place}: ${target} is a folder, which has no anchors`;
	const isThere = !file.endsWith(".md") || anchorsOf(relative(root, file)).has(anchor);
	return isThere ? undefined : `${place}: ${target} has no such heading`;
}

describe("every link of a page leads to something in the repository", () => {
	test.each(written)("%s", (page) => {
		const links = linksOf(page).filter(({ target }) => !/^[a-z]+:/.test(target));
		expect(links.map(problemWith).filter((problem) => problem !== undefined)).toEqual([]);
	});

	test("and there are links that would be missed", () => {
		const links = written.flatMap(linksOf);
		expect(links.filter(({ target }) => target.includes("#")).length).toBeGreaterThan(10);
		for (const target of ["no-page.md", "docs/errors.md#no-heading", "../elsewhere.md"]) {
			expect(problemWith({ place: "README.md:1", target })).toContain(target);
		}
	});
});
