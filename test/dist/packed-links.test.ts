import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("the links of the pages that are packed lead to what is packed", () => {
	const json = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
		cwd: root,
		encoding: "utf8",
	});
	const packed = JSON.parse(json);
	const [{ files }] = Array.isArray(packed) ? packed : Object.values(packed as object);
	const paths: string[] = files.map(({ path }: { path: string }) => path);
	// What the examples install or build beside their pages is nobody's to publish.
	expect(paths.filter((path) => path.includes("node_modules"))).toEqual([]);
	const pages = paths.filter((path) => path.endsWith(".md") && !path.startsWith("examples/"));
	expect(pages.length).toBeGreaterThan(10);
	const dead = pages.flatMap((page) => {
		const text = readFileSync(join(root, page), "utf8")
			.replaceAll(/^```[\s\S]*?^```$/gm, "")
			.replaceAll(/`[^`]*`/g, "");
		const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target.split("#")[0] ?? "");
		const own = targets.filter((target) => target !== "" && !/^[a-z]+:/.test(target));
		const missing = own.filter((target) => {
			const path = normalize(join(dirname(page), target)).replace(/\/$/, "");
			return !paths.includes(path) && !paths.some((other) => other.startsWith(`${path}/`));
		});
		return missing.map((target) => `${page}: ${target}`);
	});
	expect(dead).toEqual([]);
});
