import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Runs a program of an example in a process of its own; resolves to what it printed, rejects when it fails. */
export async function runProgram(
	file: string,
	args: readonly string[],
	environment: Readonly<Record<string, string>>,
): Promise<string> {
	const env = { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...environment };
	const { stdout } = await promisify(execFile)(process.execPath, [file, ...args], { env, timeout: 60_000 });
	return stdout;
}
