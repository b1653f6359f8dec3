import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Where a deployed function's own files may be, in the order of search. */
export function places(from: string | URL | undefined): string[] {
	const folders = [from && folderOf(from), process.env.LAMBDA_TASK_ROOT, process.cwd()];
	return [...new Set(folders.flatMap((folder) => (folder ? [resolve(folder)] : [])))];
}

/** The folder that a URL or path names, or that its file is in. */
export function folderOf(from: string | URL): string {
	const path = pathOf(from);
	return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? path : dirname(path);
}

export function pathOf(place: string | URL): string {
	return place instanceof URL || place.startsWith("file:") ? fileURLToPath(place) : place;
}
