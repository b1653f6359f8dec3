import { createHash } from "node:crypto";
import {
	chmodSync,
	cpSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder in which nothing can be written, and which can say whether something was nevertheless. */
export type ReadOnlyFolder = {
	readonly path: string;
	/** Throws when anything in it was added, removed, or changed. */
	assertUntouched(): void;
	remove(): void;
};

/** A read-only copy of a folder, or an empty read-only folder. */
export function createReadOnlyFolder(source?: string): ReadOnlyFolder {
	const parent = mkdtempSync(join(tmpdir(), "read-only-"));
	const path = join(parent, "task");
	if (source === undefined) mkdirSync(path);
	else cpSync(source, path, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
	setWritable(path, false);
	const remove = (): void => {
		setWritable(path, true);
		rmSync(parent, { recursive: true });
	};
	if (isWritable(path)) {
		remove();
		throw new Error(
			"Files without write permission can be written by this process, as root may: run the verification through " +
				"`node infrastructure/verify.ts`, which gives up that right (CAP_DAC_OVERRIDE)",
		);
	}
	const before = listFolder(path);
	return {
		path,
		assertUntouched: () => {
			const after = listFolder(path);
			const changes = [...new Set([...before.keys(), ...after.keys()])].filter(
				(entry) => before.get(entry) !== after.get(entry),
			);
			if (changes.length > 0) throw new Error(`These files of the read-only ${path} changed: ${changes.join(", ")}`);
		},
		remove,
	};
}

function isWritable(path: string): boolean {
	try {
		writeFileSync(join(path, "written"), "");
		return true;
	} catch (error) {
		if (["EACCES", "EROFS", "EPERM"].includes(String((error as NodeJS.ErrnoException).code))) return false;
		throw error;
	}
}

function setWritable(path: string, writable: boolean): void {
	const stats = lstatSync(path);
	if (stats.isSymbolicLink()) return;
	const mode = writable ? stats.mode | 0o200 : stats.mode & ~0o222;
	chmodSync(path, mode & 0o777);
	if (stats.isDirectory()) for (const name of readdirSync(path)) setWritable(join(path, name), writable);
}

/** Each entry by its path, with all that would show a change. */
function listFolder(path: string): Map<string, string> {
	const entries = new Map<string, string>();
	for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
		const file = join(entry.parentPath, entry.name);
		const { mode, mtimeMs, size } = lstatSync(file);
		const hash = entry.isFile() ? createHash("sha256").update(readFileSync(file)).digest("hex") : "";
		entries.set(file, `${mode} ${mtimeMs} ${size} ${hash}`);
	}
	return entries;
}
