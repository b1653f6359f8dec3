import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder with all examples. */
export const examplesFolder: string = fileURLToPath(new URL("..", import.meta.url));

/** What is zipped and deployed as the function of an example, once it is built. */
export function distFolder(example: string): string {
	return join(examplesFolder, example, "dist");
}

/** The name of the stack of an example. */
export function stackName(example: string): string {
	return `mcp-${example}`;
}

/** Where `cdk synth` writes templates and assets. */
export const assemblyFolder: string = join(examplesFolder, "cdk.out");
