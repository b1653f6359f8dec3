import { readFileSync } from "node:fs";
import { root } from "../docs/snippets.ts";

const versions: ReadonlyMap<string, string> = new Map(
	["package.json", "examples/agent/package.json", "examples/package.json"].flatMap((file) => {
		const { dependencies, devDependencies } = JSON.parse(readFileSync(`${root}${file}`, "utf8"));
		return Object.entries<string>({ ...dependencies, ...devDependencies });
	}),
);

/** A command of a page as it is run here: `npm install` with the packed package, and with the versions of the examples. */
export function pinned(command: string, tarball: string): string {
	if (!/^npm (install|i) /.test(command)) return command;
	const [npm, install, ...words] = command.split(/\s+/);
	return [npm, install, ...words.map((word) => (word.startsWith("-") ? word : pinnedPackage(word, tarball)))].join(" ");
}

function pinnedPackage(name: string, tarball: string): string {
	if (name === "mcp-stdio-lambda") return `"${tarball}"`;
	const version = versions.get(name)?.replace("^", "");
	if (version === undefined || !/^\d/.test(version)) {
		throw new Error(`A page installs ${name}: add the version to try it with to package.json or examples/package.json`);
	}
	return `${name}@${version}`;
}
