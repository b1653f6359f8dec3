import { spawn } from "node:child_process";
import { once } from "node:events";

const newline = 0x0a;

/** The floor: a child process, a JSON line in, a JSON line out, and nothing that could go wrong is looked after. */
export function openPipe({ command, args }) {
	const child = spawn(command, args, { stdio: ["pipe", "pipe", "ignore"] });
	const waiting = new Map();
	let parts = [];

	child.stdout.on("data", (chunk) => {
		const end = chunk.lastIndexOf(newline);
		if (end === -1) {
			parts.push(chunk);
			return;
		}
		const whole = chunk.subarray(0, end);
		const text = (parts.length === 0 ? whole : Buffer.concat([...parts, whole])).toString();
		parts = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : [];
		for (const line of text.split("\n")) {
			const message = JSON.parse(line);
			const resolve = waiting.get(message.id);
			if (!resolve) continue;
			waiting.delete(message.id);
			resolve(message);
		}
	});

	const answerTo = ({ id }) => new Promise((resolve) => waiting.set(id, resolve));

	function request(message) {
		child.stdin.write(`${JSON.stringify(message)}\n`);
		return answerTo(message);
	}

	/** All at once, in one write. */
	function requestAll(messages) {
		child.stdin.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(""));
		return Promise.all(messages.map(answerTo));
	}

	async function initialize() {
		await request({
			jsonrpc: "2.0",
			id: 0,
			method: "initialize",
			params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw-pipe", version: "0" } },
		});
		child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
	}

	async function close() {
		const exited = once(child, "exit");
		child.kill("SIGKILL");
		await exited;
	}

	return { request, requestAll, initialize, close };
}
