import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { output } from "./python.ts";

const script = fileURLToPath(new URL("../layer.sh", import.meta.url));

/**
 * Runs layer.sh with this machine's CPython instead of the one that it downloads; gives what Lambda has in /opt/python, or
 * `undefined` when this machine's Python cannot be copied: it is not Linux's, or keeps its packages elsewhere.
 */
export async function buildLayer(python: string, uv: string, folder: string): Promise<string | undefined> {
	const { prefix, version, packages } = JSON.parse(await output(python, ["-c", describe]));
	if (process.platform !== "linux" || packages !== join(prefix, `lib/python${version}/site-packages`)) return undefined;
	const architecture = process.arch === "arm64" ? "aarch64" : "x86_64";
	await output(script, [prefix], {
		...process.env,
		PATH: `${dirname(uv)}:${process.env.PATH}`,
		LAYER_FOLDER: folder,
		PYTHON_VERSION: version,
		PYTHON_PLATFORM: `${architecture}-manylinux_2_28`,
	});
	return join(folder, "python");
}

const describe = `
import json, sys, sysconfig
print(json.dumps({
	"prefix": sys.base_prefix,
	"version": sysconfig.get_python_version(),
	"packages": sysconfig.get_path("purelib", vars={"base": sys.base_prefix}),
}))`;
