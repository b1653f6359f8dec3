import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const candidates = ["python3", "python3.14", "python3.13", "python3.12", "python3.11"];

/** A Python that the server's packages support, with pip and venv; `undefined` when this machine has none. */
export async function findPython(): Promise<string | undefined> {
	const check = "import pip, sys, venv; sys.exit(sys.version_info < (3, 11))";
	for (const candidate of candidates) {
		const isSupported = await run(candidate, ["-c", check]).then(
			() => true,
			() => false,
		);
		if (isSupported) return candidate;
	}
	return undefined;
}

/** Makes a virtual environment and installs into it, with pip's arguments; gives its interpreter. */
export async function createEnvironment(python: string, folder: string, install: readonly string[]): Promise<string> {
	const interpreter = join(folder, "bin/python3");
	await run(python, ["-m", "venv", "--without-pip", folder]);
	await run(python, [...pip, "--python", interpreter, "install", "--quiet", ...install]);
	return interpreter;
}

const pip = ["-m", "pip", "--disable-pip-version-check"];

/** Runs a program; gives what it wrote to stdout. */
export async function output(
	command: string,
	args: readonly string[],
	env: Readonly<NodeJS.ProcessEnv> = process.env,
): Promise<string> {
	return (await run(command, args, { env, timeout: 120_000 })).stdout;
}
