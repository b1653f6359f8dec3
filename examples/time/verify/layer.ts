import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { output } from "./python.ts";

const example = fileURLToPath(new URL("..", import.meta.url));

/** Rejects when a package has no wheel for the Python that is deployed: 3.13 on arm64, with the glibc of Amazon Linux 2023. */
export async function assertWheels(uv: string): Promise<void> {
	const folder = mkdtempSync(join(tmpdir(), "wheels-"));
	const target = ["--python-version", "3.13", "--python-platform", "aarch64-manylinux_2_28", "--target", folder];
	const strict = ["--only-binary", ":all:", "--require-hashes", "-r", join(example, "requirements.txt")];
	try {
		await output(uv, ["pip", "install", "--quiet", "--dry-run", ...target, ...strict]);
	} finally {
		rmSync(folder, { recursive: true });
	}
}

/**
 * Runs layer.sh with this machine's CPython instead of the one that it downloads; the folder is what Lambda has in /opt.
 * Gives `false` when this machine's Python cannot be copied: it is not Linux's, or keeps its packages elsewhere.
 */
export async function buildLayer(python: string, uv: string, folder: string): Promise<boolean> {
	const { prefix, version, packages } = JSON.parse(await output(python, ["-c", describe]));
	if (process.platform !== "linux" || packages !== join(prefix, `lib/python${version}/site-packages`)) return false;
	const architecture = process.arch === "arm64" ? "aarch64" : "x86_64";
	await output(join(example, "layer.sh"), [prefix], {
		...process.env,
		PATH: `${dirname(uv)}:${process.env.PATH}`,
		LAYER_FOLDER: folder,
		PYTHON_VERSION: version,
		PYTHON_PLATFORM: `${architecture}-manylinux_2_28`,
	});
	return true;
}

const describe = `
import json, sys, sysconfig
print(json.dumps({
	"prefix": sys.base_prefix,
	"version": sysconfig.get_python_version(),
	"packages": sysconfig.get_path("purelib", vars={"base": sys.base_prefix}),
}))`;
