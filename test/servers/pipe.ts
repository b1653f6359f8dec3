import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { childEnvironment } from "../../src/child/variables.ts";
import { resolveParams, type StdioServerParams } from "../../src/params.ts";

/** A server over pipes and nothing else: what everything else is compared with. */
export type Pipe = {
	readonly pid: number;
	/** From the spawn to the answer of `initialize`. */
	readonly startMs: number;
	readonly request: (message: object) => Promise<unknown>;
	readonly close: () => Promise<void>;
};

export async function openPipe(params: StdioServerParams): Promise<Pipe> {
	const resolved = resolveParams(params);
	const startedAt = performance.now();
	const child = spawn(resolved.command, resolved.args, {
		cwd: resolved.cwd,
		env: childEnvironment(resolved, false),
		stdio: ["pipe", "pipe", "pipe"],
	});
	let stderr = "";
	child.stderr.on("data", (chunk) => {
		stderr = (stderr + chunk).slice(-2000);
	});
	const waiting = new Map<unknown, (message: unknown) => void>();
	createInterface({ input: child.stdout }).on("line", (line) => {
		try {
			const message = JSON.parse(line);
			if (message.method === undefined) waiting.get(message.id)?.(message);
		} catch {
			// No message.
		}
	});
	const ended = once(child, "exit").then(() => {
		throw new Error(`The plain pipe ended: ${stderr}`);
	});
	ended.catch(() => {});
	const write = (message: object): boolean => child.stdin.write(`${JSON.stringify(message)}\n`);
	const request = async (message: object): Promise<unknown> => {
		const answered = new Promise((resolve) => waiting.set((message as { id: unknown }).id, resolve));
		write(message);
		return await Promise.race([answered, ended]);
	};
	const clientInfo = { name: "mcp-stdio-lambda", version: "0.1.0" };
	const initialize = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
	await request({ jsonrpc: "2.0", id: 0, method: "initialize", params: initialize });
	const startMs = Math.round(performance.now() - startedAt);
	write({ jsonrpc: "2.0", method: "notifications/initialized" });
	return {
		pid: child.pid ?? 0,
		startMs,
		request,
		close: async () => {
			child.stdin.end();
			child.kill();
			await ended.catch(() => {});
		},
	};
}
