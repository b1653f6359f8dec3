import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The program that loads and runs a handler: a JavaScript file for the Node.js that runs this one. */
export type RuntimeCommand = { readonly file: string };

export function resolveRuntimeCommand(runtime: "own" | "aws", ricPath: string | undefined): RuntimeCommand {
	return runtime === "own" ? ownRuntime : findAwsRuntime(resolve(ricPath ?? "."));
}

// From source, Node.js strips the types itself. In dist this module is part of local/index.js.
const ownRuntime: RuntimeCommand = {
	file: fileURLToPath(
		new URL(import.meta.url.endsWith(".ts") ? "../runtime/main.ts" : "./runtime/main.js", import.meta.url),
	),
};

function findAwsRuntime(folder: string): RuntimeCommand {
	let file: string;
	try {
		file = createRequire(join(folder, "resolve.js")).resolve("aws-lambda-ric");
	} catch (cause) {
		throw new Error(
			`The runtime "aws" needs the npm package aws-lambda-ric, which is not found from ${folder}. ` +
				"Install it with `npm install --save-dev aws-lambda-ric@4` (on Linux, with cmake, g++, make and xz), " +
				"or name the folder where it is installed in the option ricPath.",
			{ cause },
		);
	}
	if (!existsSync(join(dirname(file), "rapid-client.node"))) {
		throw new Error(
			`aws-lambda-ric in ${dirname(file)} lacks its native part: its install scripts did not run or failed. ` +
				"Allow them (allowScripts in package.json), and run `npm rebuild aws-lambda-ric` with cmake, g++, make and xz.",
		);
	}
	return { file };
}
