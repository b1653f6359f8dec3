import { cp, mkdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { createEnvironment, output } from "./python.ts";

/** Where the image has the function. */
export const taskFolder = "var/task";
/** Where the image has the server's packages. */
export const environmentFolder = "opt/venv";

/**
 * Makes in a folder what the Dockerfile makes of its context: the task folder, and the virtual environment, of this machine's
 * Python. Rejects when the Dockerfile copies what is not in the context.
 */
export async function buildImage(python: string, context: string, folder: string): Promise<void> {
	await mkdir(join(folder, taskFolder), { recursive: true });
	for (const { source, target } of await readCopies(context)) {
		const copy = target === taskTarget ? join(taskFolder, basename(source)) : join("tmp", basename(source));
		await cp(join(context, source), join(folder, copy));
	}
	const environment = join(folder, environmentFolder);
	const install = [
		"--no-compile",
		"--only-binary",
		":all:",
		"--require-hashes",
		"-r",
		join(folder, "tmp/requirements.txt"),
	];
	const interpreter = await createEnvironment(python, environment, install);
	const compile = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"];
	await output(interpreter, [...compile, join(environment, "lib")]);
}

/** Rejects when the Dockerfile is not well written. */
export async function lintDockerfile(hadolint: string, context: string): Promise<void> {
	await output(hadolint, ["--no-color", join(context, "Dockerfile")]);
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the Dockerfile.
const taskTarget = "${LAMBDA_TASK_ROOT}/";

/** What the Dockerfile copies from its context. */
async function readCopies(context: string): Promise<{ source: string; target: string }[]> {
	const dockerfile = await readFile(join(context, "Dockerfile"), "utf8");
	const copies = [...dockerfile.matchAll(/^COPY (?!--from)(\S+) (\S+)$/gm)];
	return copies.map(([, source = "", target = ""]) => ({ source, target }));
}
