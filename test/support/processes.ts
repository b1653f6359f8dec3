import { readFileSync } from "node:fs";
import { type afterAll, afterEach, expect } from "vitest";
import { closeStdioServers, type StdioServerParams } from "../../src/index.ts";
import { listProcesses } from "../../src/process/table.ts";

/**
 * The command lines, each behind its process id, of what the servers of a host process have left running. With `variable`
 * only of those whose environment has it, as `NAME=value`.
 */
export function leftovers(hostPid: number = process.pid, variable = ""): string[] {
	const mark = `MCP_STDIO_LAMBDA_PROCESS=${hostPid}-`;
	const isLeft = (environment: string) => environment.includes(mark) && environment.includes(variable);
	return listProcesses()
		.filter(({ pid, zombie }) => !zombie && pid !== process.pid && isLeft(read(pid, "environ")))
		.map(({ pid }) => `${pid} ${read(pid, "cmdline").replaceAll("\0", " ")}`);
}

let lastCase = 0;

/** The same server for one test alone, so that tests can run side by side, and what it has left running. */
export function ownServer(server: StdioServerParams): { params: StdioServerParams; left: () => string[] } {
	lastCase += 1;
	const TEST_CASE = `${lastCase}.`;
	return {
		params: { ...server, env: { ...server.env, TEST_CASE } },
		left: () => leftovers(process.pid, `TEST_CASE=${TEST_CASE}`),
	};
}

export function isAlive(pid: number): boolean {
	return listProcesses().some((entry) => entry.pid === pid && !entry.zombie);
}

/** Waits for something that comes about by itself; fails when it takes unreasonably long, also on a busy machine. */
export async function until(what: string, condition: () => boolean): Promise<void> {
	for (const deadline = performance.now() + 60_000; performance.now() < deadline; ) {
		if (condition()) return;
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
	throw new Error(`It took too long until ${what}`);
}

/** Ends every server after each test, or after all where tests run side by side; fails when a process is left. */
export function leaveNothingBehind(after: typeof afterEach | typeof afterAll = afterEach): void {
	after(async () => {
		await closeStdioServers();
		expect(leftovers()).toEqual([]);
	});
}

function read(pid: number, file: "environ" | "cmdline"): string {
	try {
		return readFileSync(`/proc/${pid}/${file}`, "latin1");
	} catch {
		return "";
	}
}
