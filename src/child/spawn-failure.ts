import { statSync } from "node:fs";
import { resolve } from "node:path";
import { McpStdioError } from "../errors.ts";
import type { ResolvedServerParams } from "../params.ts";

/** What the operating system's refusal to start a command means, and what to do about it. */
export function spawnFailure(params: ResolvedServerParams, cause: NodeJS.ErrnoException): McpStdioError {
	return new McpStdioError(
		"SPAWN_FAILED",
		`MCP server ${params.name} could not be started: ${spawnProblem(params, cause)}`,
		{ data: { phase: "spawn" }, cause },
	);
}

function spawnProblem({ command, cwd }: ResolvedServerParams, cause: NodeJS.ErrnoException): string {
	if (cwd !== undefined && kindOf(cwd) !== "folder") {
		return `its folder ${cwd.slice(0, 200)} does not exist or is no folder (${cause.code}); check params.cwd`;
	}
	switch (cause.code) {
		case "ENOENT":
			return notFound(command, cwd);
		case "ENOEXEC":
			return `${command} is no program for this processor and system (ENOEXEC); deploy the build for Lambda's (${process.arch}, Linux), or start it with its interpreter`;
		case "EACCES":
			return `${command} may not be executed (EACCES); check its mode and that it is not a folder`;
		case "E2BIG":
			return `the arguments and the environment of ${command} are too long together (E2BIG); pass less in params.args and params.env`;
		case "EAGAIN":
		case "EMFILE":
		case "ENFILE":
		case "ENOMEM":
			return `this function has no room for another process (${cause.code}); lower maxProcesses or standby, or raise the function's memory`;
		default:
			return `${command} failed with ${cause.code ?? cause.message}; check params.command`;
	}
}

function notFound(command: string, cwd: string | undefined): string {
	// Where the operating system looks: a path is looked up from the server's folder, a bare name only on PATH.
	const isPath = command.includes("/");
	const kind = kindOf(resolve(cwd ?? ".", command));
	if (isPath && kind === "file") {
		return `${command} is there, and the interpreter that its first line names is not, or that line ends with a carriage return (ENOENT); start it with its interpreter as params.command and the file in params.args`;
	}
	if (!isPath && kind === "file") {
		return `${command} was not found on PATH (ENOENT); the file of that name beside it is ./${command}: write that, or its interpreter as params.command and the file in params.args`;
	}
	const [program = "", ...rest] = command.trim().split(/\s+/);
	const server = installers.get(program.slice(program.lastIndexOf("/") + 1));
	const installs = `${program} installs at run time, which Lambda's disk does not allow: deploy the server's package and name it with ${server} or fromHostConfig`;
	if (rest.length > 0) {
		// What stands behind the program may be a secret.
		const advice = server ? installs : `write command ${JSON.stringify(program)} and the rest in params.args`;
		return `${program} … was not found (ENOENT); a command has no arguments in it, they go in params.args: ${advice}`;
	}
	if (server) return `${command} was not found (ENOENT); ${installs}`;
	if (/^python[\d.]*$/.test(command)) {
		return `${command} was not found (ENOENT); Lambda's Node.js runtimes have no Python: deploy an image or a layer with one, and name the server with pythonServer`;
	}
	return `${command} was not found (ENOENT); check params.command and PATH, and that it is part of the deployment`;
}

/** What stands in a desktop host's configuration in place of the package, and what names the package here. */
const installers: ReadonlyMap<string, string> = new Map([
	...["npx", "bunx", "pnpx", "npm", "pnpm", "yarn"].map((name) => [name, "npmServer"] as const),
	...["uvx", "uv", "pipx"].map((name) => [name, "pythonServer"] as const),
]);

function kindOf(path: string): "file" | "folder" | undefined {
	try {
		return statSync(path).isDirectory() ? "folder" : "file";
	} catch {
		return undefined;
	}
}
