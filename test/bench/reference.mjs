import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { referenceFolder, referenceName } from "./subjects.mjs";

const pinned = fileURLToPath(new URL("./reference/", import.meta.url));

/** Installs what the bench compares with, exactly as pinned, unless it is there. */
export function installReference() {
	if (isInstalled()) return;
	console.error(`Installing ${referenceName} …`);
	cpSync(pinned, referenceFolder, { recursive: true });
	const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
	execFileSync("npm", ["ci", "--prefix", referenceFolder, ...options], { stdio: ["ignore", "ignore", "inherit"] });
}

function isInstalled() {
	// npm writes this one when it is done.
	if (!existsSync(join(referenceFolder, "node_modules/.package-lock.json"))) return false;
	const [installed, wanted] = [referenceFolder, pinned].map((folder) =>
		readFileSync(join(folder, "package-lock.json"), "utf8"),
	);
	return installed === wanted;
}
