import { deepStrictEqual } from "node:assert/strict";
import { cp, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createEnvironment, output } from "./python.ts";

const context = fileURLToPath(new URL("..", import.meta.url));

export type Image = { readonly taskRoot: string; readonly environment: string; readonly interpreter: string };

/** What the Dockerfile builds, in a folder: the task folder with what it copies there, and the virtual environment. */
export async function buildImage(python: string, folder: string): Promise<Image> {
	const taskRoot = join(folder, "var/task");
	await mkdir(taskRoot, { recursive: true });
	for (const { source, target } of await copies()) {
		// biome-ignore lint/suspicious/noTemplateCurlyInString: the Dockerfile's variable
		if (target === "${LAMBDA_TASK_ROOT}/")
			await cp(join(context, source), join(taskRoot, source.split("/").at(-1) ?? ""));
	}
	const environment = join(folder, "opt/venv");
	const requirements = join(context, "requirements.txt");
	const interpreter = await createEnvironment(python, environment, [
		...["--no-compile", "--only-binary", ":all:", "--require-hashes", "-r", requirements],
	]);
	await output(interpreter, [
		"-m",
		"compileall",
		"-q",
		"--invalidation-mode",
		"unchecked-hash",
		join(environment, "lib"),
	]);
	return { taskRoot, environment, interpreter };
}

/** Rejects when the Dockerfile is not well written, or copies what is not there. */
export async function checkDockerfile(hadolint: string): Promise<void> {
	await output(hadolint, ["--no-color", join(context, "Dockerfile")]);
	const ignore = await readFile(join(context, ".dockerignore"), "utf8");
	const sources = (await copies()).map(({ source }) => source);
	for (const source of sources) await stat(join(context, source));
	deepStrictEqual(ignore.trim().split("\n").sort(), ["*", ...sources.map((source) => `!${source}`)].sort());
}

/** What the Dockerfile copies from its context. */
async function copies(): Promise<{ source: string; target: string }[]> {
	const dockerfile = await readFile(join(context, "Dockerfile"), "utf8");
	return [...dockerfile.matchAll(/^COPY (?!--from)(?<source>\S+) (?<target>\S+)$/gm)].map(({ groups }) => ({
		source: groups?.source ?? "",
		target: groups?.target ?? "",
	}));
}

/** What is in a folder and when each file and folder was written: equal as long as nothing is. */
export async function snapshot(folder: string): Promise<string[]> {
	const entries = await readdir(folder, { recursive: true, withFileTypes: true });
	const paths = entries.filter((entry) => !entry.isSymbolicLink()).map((entry) => join(entry.parentPath, entry.name));
	return await Promise.all(paths.sort().map(async (path) => `${path} ${(await stat(path)).mtimeMs}`));
}
