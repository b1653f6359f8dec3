import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What a console script runs: an object of a module that is called without arguments. */
export type ConsoleScript = { readonly name: string; readonly module: string; readonly object: string };

/** A distribution of Python's, as it is installed, and its console scripts. */
type Distribution = { readonly name: string; readonly scripts: readonly ConsoleScript[] };

/**
 * The console scripts of an installed distribution, by its own metadata
 * (https://packaging.python.org/en/latest/specifications/entry-points/); `undefined` when it is not in the folders.
 */
export function scriptsOf(distribution: string, folders: readonly string[]): readonly ConsoleScript[] | undefined {
	const wanted = normalize(distribution);
	return installed(folders, (name) => name === wanted)[0]?.scripts;
}

/** A console script by its name, of whichever distribution has it. */
export function scriptNamed(name: string, folders: readonly string[]): ConsoleScript | undefined {
	const all = installed(folders, () => true).flatMap(({ scripts }) => scripts);
	return all.find((script) => script.name === name);
}

/** The arguments of Python that run a console script, as the file in `bin` would that pip makes of it. */
export function runScript({ name, module, object }: ConsoleScript): string[] {
	const [first = ""] = object.split(".");
	const program = [
		"import sys",
		// A script's folder comes first on the path, never the current folder, as it does for -c.
		"sys.path[:] = [folder for folder in sys.path if folder]",
		`sys.argv[0] = ${JSON.stringify(name)}`,
		`from ${module} import ${first}`,
		`sys.exit(${object}())`,
	];
	return ["-c", program.join("; ")];
}

/** https://packaging.python.org/en/latest/specifications/name-normalization/ */
export function normalize(name: string): string {
	return name.toLowerCase().replaceAll(/[-_.]+/g, "-");
}

function installed(folders: readonly string[], accepts: (name: string) => boolean): Distribution[] {
	return folders.flatMap((folder) =>
		entriesOf(folder).flatMap((entry) => {
			const [, name = ""] = /^(.+?)(?:-[^-]+)?(?:-py[\d.]+)?\.(?:dist|egg)-info$/.exec(entry) ?? [];
			const normal = normalize(name);
			return name !== "" && accepts(normal) ? [{ name: normal, scripts: readScripts(join(folder, entry)) }] : [];
		}),
	);
}

function readScripts(metadata: string): ConsoleScript[] {
	let text: string;
	try {
		text = readFileSync(join(metadata, "entry_points.txt"), "utf8");
	} catch {
		return [];
	}
	const scripts: ConsoleScript[] = [];
	let section = "";
	for (const line of text.split(/\r?\n/)) {
		section = /^\s*\[(.+?)\]\s*$/.exec(line)?.[1]?.trim() ?? section;
		const [, name, module, object] =
			/^\s*([^=\s#;][^=]*?)\s*=\s*([\p{L}_][\p{L}\p{N}_.]*)\s*:\s*([\p{L}_][\p{L}\p{N}_.]*)/u.exec(line) ?? [];
		if (section === "console_scripts" && name && module && object) scripts.push({ name, module, object });
	}
	return scripts;
}

function entriesOf(folder: string): string[] {
	try {
		return readdirSync(folder);
	} catch {
		return [];
	}
}
