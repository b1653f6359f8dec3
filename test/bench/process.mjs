import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const limitMs = 120_000;

let running;

/** Ends the variant that is running; it leads a process group of its own. */
export function endVariant(signal) {
	if (running !== undefined) signalGroup(running, signal);
}

function signalGroup(pid, signal) {
	try {
		return process.kill(-pid, signal);
	} catch {
		return false;
	}
}

/**
 * Runs one side of a measure in a process of its own. Resolves to its samples by metric, with the time until its first
 * line of output and until its end; rejects when it fails or leaves a process behind.
 */
export async function runSide(measure, side) {
	const file = fileURLToPath(new URL(`./variants/${measure}.mjs`, import.meta.url));
	const startedAt = performance.now();
	const child = spawn(process.execPath, [file, side], { stdio: ["ignore", "pipe", "pipe"], detached: true });
	running = child.pid;
	const limit = setTimeout(() => signalGroup(child.pid, "SIGTERM"), limitMs);
	let output = "";
	let errors = "";
	let firstLineMs;
	child.stdout.setEncoding("utf8").on("data", (text) => {
		firstLineMs ??= performance.now() - startedAt;
		output += text;
	});
	child.stderr.setEncoding("utf8").on("data", (text) => {
		errors += text;
	});
	const { code, exitMs } = await new Promise((resolve, reject) => {
		let exitMs;
		child.once("error", reject);
		child.once("exit", () => {
			exitMs = performance.now() - startedAt;
		});
		child.once("close", (code) => resolve({ code, exitMs }));
	});
	clearTimeout(limit);
	running = undefined;
	if (code !== 0) {
		signalGroup(child.pid, "SIGKILL");
		throw new Error(`${measure}, ${side}: the variant ended with code ${code}\n${errors}`);
	}
	if (await leavesProcesses(child.pid)) throw new Error(`${measure}, ${side}: the variant left a process behind`);
	return { ...JSON.parse(output), firstLineMs: [firstLineMs], exitMs: [exitMs] };
}

/** Whether something is left in the variant's own group, or of what the package started in it, that does not end by itself. */
async function leavesProcesses(pid) {
	for (let looks = 0; looks < 100; looks += 1) {
		if (!groupIsAlive(pid) && !isMarked(pid)) return false;
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
	signalGroup(pid, "SIGKILL");
	return true;
}

function groupIsAlive(pid) {
	return signalGroup(pid, 0);
}

function isMarked(pid) {
	if (process.platform !== "linux") return false;
	return readdirSync("/proc").some((name) => {
		try {
			return readFileSync(`/proc/${name}/environ`, "latin1").includes(`MCP_STDIO_LAMBDA_PROCESS=${pid}-`);
		} catch {
			return false;
		}
	});
}
