import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";

/**
 * The folders where an interpreter finds installed packages, as far as the file system tells; the interpreter is not started.
 * Empty where it does not tell: for a wrapper script, or an interpreter with a layout of its own.
 */
export function sitePackagesOf(interpreter: string): string[] {
	const path = behindPyenv(interpreter);
	const prefix = dirname(dirname(path));
	const settings = readIfThere(join(prefix, "pyvenv.cfg"));
	if (settings !== undefined) {
		const own = foldersBelow(prefix, path);
		// https://docs.python.org/3/library/venv.html: an environment may see what its base has installed.
		const base = /^include-system-site-packages\s*=\s*true\s*$/im.test(settings) ? resolved(path) : undefined;
		return base === undefined ? own : [...own, ...sitePackagesOf(base)];
	}
	const real = resolved(path);
	const folders = foldersBelow(dirname(dirname(real)), real);
	return folders.length === 0 ? [] : [...folders, ...userFolders(real)].filter((folder) => existsSync(folder));
}

/** Below a prefix: pip's folders, and Debian's, which are another for what it has packaged itself. */
function foldersBelow(prefix: string, interpreter: string): string[] {
	const libraries = [join(prefix, "lib"), join(prefix, "lib64"), ...(prefix === "/usr" ? ["/usr/local/lib"] : [])];
	const versioned = libraries.flatMap((library) =>
		versionsIn(library, interpreter).flatMap((version) => [
			join(library, version, "site-packages"),
			join(library, version, "dist-packages"),
		]),
	);
	return [...versioned, join(prefix, "lib/python3/dist-packages")].filter((folder) => existsSync(folder));
}

function userFolders(interpreter: string): string[] {
	const library = join(homedir(), ".local/lib");
	return versionsIn(library, interpreter).map((version) => join(library, version, "site-packages"));
}

/** `python3.12` and the like; only the interpreter's own where its name tells which that is. */
function versionsIn(library: string, interpreter: string): string[] {
	const [named] = /^python3\.\d+t?$/.exec(basename(resolved(interpreter))) ?? [];
	const versions = list(library).filter((name) => /^python3\.\d+t?$/.test(name));
	return named !== undefined && versions.includes(named) ? [named] : versions;
}

/** The interpreter that a shim of pyenv stands for: https://github.com/pyenv/pyenv#understanding-python-version-selection */
function behindPyenv(path: string): string {
	const [, root] = /^(.*\/\.pyenv)\/shims\/[^/]+$/.exec(path) ?? [];
	if (root === undefined) return path;
	const wanted = process.env.PYENV_VERSION ?? readIfThere(join(root, "version")) ?? "";
	const [version = ""] = wanted
		.split(/[\s:]+/)
		.filter((name) => existsSync(join(root, "versions", name, "bin/python3")));
	return version === "" ? path : join(root, "versions", version, "bin/python3");
}

function resolved(path: string): string {
	try {
		return realpathSync(path);
	} catch {
		return path;
	}
}

function list(folder: string): string[] {
	try {
		return readdirSync(folder);
	} catch {
		return [];
	}
}

function readIfThere(path: string): string | undefined {
	try {
		return readFileSync(path, "utf8");
	} catch {
		return undefined;
	}
}
