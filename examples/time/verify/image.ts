import { cp, mkdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { output } from "./python.ts";

/** Where the image has the function. */
export const taskFolder = "var/task";
/** Where the image has the server's packages. */
export const environmentFolder = "opt/venv";

/**
 * Makes in a folder what the Dockerfile makes of its context, by its own COPY and RUN instructions, with this machine's Python:
 * the task folder, and the virtual environment. Only what `dnf` would install is left out. Rejects when the Dockerfile copies
 * what is not in the context, or a command fails.
 */
export async function buildImage(python: string, context: string, folder: string): Promise<void> {
	const dockerfile = (await readFile(join(context, "Dockerfile"), "utf8")).replaceAll(/\\\n\s*/g, "");
	for (const [, source = "", target = ""] of dockerfile.matchAll(/^COPY (?!--from)(\S+) (\S+\/)$/gm)) {
		const copies = join(folder, target.replace(taskRoot, taskFolder));
		await mkdir(copies, { recursive: true });
		await cp(join(context, source), join(copies, basename(source)));
	}
	for (const [, command = ""] of dockerfile.matchAll(/^RUN (.+)$/gm)) {
		if (command.startsWith("dnf ")) continue;
		const here = command
			.replaceAll(/(?<=^|\s)python3\.\d+(?=\s)/g, python)
			.replaceAll(/(?<=^|\s)(?=\/(opt|tmp)\/)/g, `'${folder}'`);
		await output("sh", ["-ec", here]);
	}
}

/** Rejects when the Dockerfile is not well written. */
export async function lintDockerfile(hadolint: string, context: string): Promise<void> {
	await output(hadolint, ["--no-color", join(context, "Dockerfile")]);
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the Dockerfile.
const taskRoot = "${LAMBDA_TASK_ROOT}";
