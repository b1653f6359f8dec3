// What is measured: the servers, the package's build, the reference, and the messages that all of them get.

import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));
export const workFolder = join(root, ".bench");
export const referenceFolder = join(workFolder, "reference");
export const referenceName = "@aws/run-mcp-servers-with-aws-lambda";

/** The build under test; another one can be named to compare with. */
export const coreFile = process.env.BENCH_CORE ?? join(root, "dist/src/index.js");
const referenceFile = join(referenceFolder, "node_modules", referenceName, "dist/index.js");

export const everything = {
	command: process.execPath,
	args: [join(root, "node_modules/@modelcontextprotocol/server-everything/dist/index.js")],
};
export const wellBehaved = {
	command: process.execPath,
	args: [join(root, "test/fixtures/servers/well-behaved.mjs")],
};

export const importCore = () => import(pathToFileURL(coreFile).href);
export const importMiddleware = () => import(new URL("../middleware/index.js", pathToFileURL(coreFile)).href);
export const importClient = () => import(new URL("client/index.js", pathToFileURL(coreFile)).href);
export const importReference = () => import(pathToFileURL(referenceFile).href);

function callTool(id, name, args) {
	return { jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: args } };
}

export const echo = (id) => callTool(id, "echo", { message: "hello" });
export const payload = (id, bytes) => callTool(id, "payload", { bytes });

/** A measurement of something that failed would be a fast one. */
export function textOf(response) {
	const text = response?.result?.content?.[0]?.text;
	if (typeof text !== "string") throw new Error(`not the expected answer: ${JSON.stringify(response)?.slice(0, 500)}`);
	return text;
}
