import { closeSync, openSync, readSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import type { ResolvedServerParams } from "../params.ts";

/** `e_machine` of https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html, by Node.js's names. */
const machines: ReadonlyMap<number, string> = new Map([
	[3, "ia32"],
	[40, "arm"],
	[62, "x64"],
	[183, "arm64"],
	[243, "riscv64"],
]);

/** How a program starts that another operating system runs. */
const otherSystems: ReadonlyMap<string, string> = new Map([
	["cffaedfe", "macOS"],
	["cafebabe", "macOS"],
	["4d5a", "Windows"],
]);

/**
 * Says that a command is built for another processor or system. The C library gives such a file to a shell, whose syntax
 * error is all that the log would have.
 */
export function architectureProblem({ command, cwd, env }: ResolvedServerParams): string | undefined {
	const head = headOf(command, cwd, env.PATH ?? process.env.PATH ?? "");
	if (!head) return undefined;
	const own = `this function runs on ${process.platform} ${process.arch}: deploy the build for that`;
	const magic = head.toString("hex", 0, 4);
	if (magic === "7f454c46" && process.platform === "linux") {
		const machine = machines.get(head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18)) ?? "another processor";
		return machine === process.arch ? undefined : `${command} is built for ${machine}, and ${own}`;
	}
	const system = otherSystems.get(magic) ?? otherSystems.get(magic.slice(0, 4));
	const isOwn =
		(system === "macOS" && process.platform === "darwin") || (system === "Windows" && process.platform === "win32");
	return system === undefined || isOwn ? undefined : `${command} is built for ${system}, and ${own}`;
}

/** The first bytes of the file that a command names. */
function headOf(command: string, cwd: string | undefined, path: string): Buffer | undefined {
	const folders = command.includes("/") ? [""] : path.split(delimiter);
	for (const folder of folders) {
		try {
			const file = openSync(resolve(cwd ?? ".", join(folder, command)), "r");
			try {
				const head = Buffer.alloc(20);
				return readSync(file, head, 0, 20, 0) === 20 ? head : undefined;
			} finally {
				closeSync(file);
			}
		} catch {
			// Not in this folder.
		}
	}
	return undefined;
}
