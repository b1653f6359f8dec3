import { exec } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { pinned } from "./pinned.ts";
import type { Walk } from "./walk.ts";

/** Somebody with an empty folder, the packed package, and no AWS account. */
export type Reader = {
	readonly folder: string;
	save(walk: Walk): void;
	/** Runs a command of a page in a shell and resolves to what it printed; rejects when it fails. */
	type(command: string, environment?: Readonly<Record<string, string>>): Promise<string>;
};

export function createReader(place: string, tarball: string): Reader {
	const folder = join(place, "project");
	// This Node.js, and none of the programs that are installed beside it.
	const bin = join(place, "bin");
	for (const path of [folder, bin]) mkdirSync(path, { recursive: true });
	symlinkSync(process.execPath, join(bin, "node"));
	const own = Object.entries(process.env).filter(([name]) => !/^(AWS|npm|CDK)_/i.test(name));
	const env = { ...Object.fromEntries(own), PATH: `${bin}:${process.env.PATH}`, CI: "true" };

	return {
		folder,
		save: ({ page, files }) => {
			for (const { file = "", code } of files) {
				console.log(`+ save ${file} (${page})`);
				writeFileSync(join(folder, file), `${code}\n`);
			}
		},
		type: async (command, environment = {}) => {
			const typed = pinned(command, tarball);
			console.log(`+ ${typed}`);
			const options = { cwd: folder, env: { ...env, ...environment }, timeout: 300_000 };
			const { stdout, stderr } = await promisify(exec)(typed, options).catch((error) => {
				process.stderr.write(`${error.stdout}${error.stderr}`);
				throw new Error(`\`${command}\` ended with ${error.signal ?? `exit code ${error.code}`}`);
			});
			process.stdout.write(stderr + stdout);
			return stdout;
		},
	};
}
