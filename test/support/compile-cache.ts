import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// A test starts hosts and runtimes from source by the hundred: Node.js strips and compiles it once.
const programs = ["src/index.ts", "src/local/index.ts", "src/local/runtime/main.ts"];

export default function setup(): () => void {
	const folder = mkdtempSync(join(tmpdir(), "compile-cache-"));
	process.env.NODE_COMPILE_CACHE = folder;
	for (const program of programs) {
		// The cache is written at an ordinary end, and what tests kill has none. A runtime alone ends with an error.
		const url = new URL(`../../${program}`, import.meta.url).href;
		spawnSync(process.execPath, ["--input-type=module", "--eval", `await import("${url}")`]);
	}
	return () => rmSync(folder, { recursive: true, force: true });
}
