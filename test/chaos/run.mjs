// npm run chaos [-- --requests 20000 --seed 1 --concurrency 200]
// Sends requests to a server that misbehaves in every way, with aborts, deadlines and kills from outside at random, in both
// lifetimes, and counts what must not happen: a wrong id or answer, a call that ran twice, an answer after its deadline, a
// process that is left behind, memory that grows.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { closeStdioServers, runStdioRequest } from "../../dist/src/index.js";

const { values } = parseArgs({
	options: {
		requests: { type: "string", default: "20000" },
		seed: { type: "string", default: "1" },
		concurrency: { type: "string", default: "200" },
	},
});
const [requests, seed, concurrency] = [values.requests, values.seed, values.concurrency].map(Number);

const folder = mkdtempSync(join(tmpdir(), "chaos-"));
const ledger = join(folder, "ledger");
const script = fileURLToPath(new URL("server.mjs", import.meta.url));
const ways = JSON.parse(execFileSync(process.execPath, [script, "--ways"], { encoding: "utf8" }));
const params = { command: process.execPath, args: [script], env: { CHAOS_LEDGER: ledger }, name: "chaos" };

/** A small generator of numbers from 0 to 1 that a seed repeats: mulberry32. */
function createRandom(state) {
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
	};
}

const random = createRandom(seed);
const pick = (list) => list[Math.floor(random() * list.length)];

const alive = new Set();
const observer = { spawn: ({ pid }) => alive.add(pid), exit: ({ pid }) => alive.delete(pid) };
const counts = { wrongId: 0, wrongAnswer: 0, late: 0, rejected: 0, answered: 0, failed: 0 };
const outcomes = new Map();
const examples = [];

/** Ways that hold a kept process up are rarer: each costs everybody who shares it a replacement. */
const rare = new Set(["neverAnswers", "stops", "blocks", "floods", "floodsStderr", "ignoresTheEnd"]);

function note(kind, what) {
	counts[kind] += 1;
	if (examples.length < 10) examples.push(`${kind}: ${what}`);
}

async function send(index) {
	const way = pick(ways);
	if (rare.has(way) && random() < 0.8) return;
	const id = random() < 0.5 ? index : `id ${index}`;
	const nonce = `nonce-${index}`;
	const timeoutMs = 300 + Math.floor(random() * 1200);
	const controller = new AbortController();
	const abortsAfter = random() < 0.05 ? random() * 300 : undefined;
	if (abortsAfter !== undefined) setTimeout(() => controller.abort(), abortsAfter).unref();
	const request = {
		jsonrpc: "2.0",
		id,
		method: "tools/call",
		params: { name: "way", arguments: { way, nonce }, _meta: { progressToken: `token ${index}` } },
	};
	const lifetime = random() < 0.85 ? "environment" : "request";
	const startedAt = performance.now();
	let response;
	try {
		response = await runStdioRequest(params, request, {
			lifetime,
			maxProcesses: 8,
			timeoutMs,
			signal: controller.signal,
			observer,
		});
	} catch (error) {
		note("rejected", `${way}: ${error}`);
		return;
	}
	const elapsedMs = performance.now() - startedAt;
	if (elapsedMs > timeoutMs + 1000) note("late", `${way} took ${Math.round(elapsedMs)} ms of ${timeoutMs}`);
	if (response.id !== id) note("wrongId", `${way}: ${JSON.stringify(response).slice(0, 200)}`);
	const text =
		response.result?.content?.[0]?.text ?? (response.error?.data?.code ? undefined : response.error?.message);
	if (text !== undefined && text !== nonce) note("wrongAnswer", `${way}: ${text} for ${nonce}`);
	const outcome = response.error?.data?.code ?? (response.error ? "error" : "result");
	outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
	counts[outcome === "result" || outcome === "error" ? "answered" : "failed"] += 1;
}

const startedAt = performance.now();
let heapBefore;
let next = 0;
const killer = setInterval(() => {
	const [pid] = alive;
	if (pid !== undefined && random() < 0.3) {
		try {
			process.kill(pid, pick(["SIGKILL", "SIGTERM", "SIGSTOP"]));
		} catch {
			// It has gone by itself.
		}
	}
}, 250);

async function work() {
	while (next < requests) {
		const index = next;
		next += 1;
		await send(index);
		if (index === Math.floor(requests / 4)) heapBefore = heapUsed();
		if (index % 5000 === 4999)
			console.log(`${index + 1} requests, ${Math.round((performance.now() - startedAt) / 1000)} s`);
	}
}

function heapUsed() {
	globalThis.gc?.();
	return process.memoryUsage().heapUsed / 2 ** 20;
}

await Promise.all(Array.from({ length: concurrency }, work));
clearInterval(killer);
const heapAfter = heapUsed();
await closeStdioServers();

const executed = readFileSync(ledger, "utf8").trim().split("\n");
const doubled = executed.length - new Set(executed).size;
const left = execFileSync("ps", ["-Ao", "pid=,args="], { encoding: "utf8" })
	.split("\n")
	.filter((line) => line.includes(script) && !line.includes("run.mjs"));
const grownMb = heapAfter - (heapBefore ?? heapAfter);
rmSync(folder, { recursive: true });

console.log(
	`${requests} requests (seed ${seed}, ${ways.length} ways, ${concurrency} at once) in ${Math.round((performance.now() - startedAt) / 1000)} s`,
);
console.log(Object.fromEntries([...outcomes].sort(([, a], [, b]) => b - a)));
const { wrongId, wrongAnswer, late, rejected } = counts;
const bad = {
	wrongId,
	wrongAnswer,
	doubled,
	late,
	rejected,
	left: left.length,
	grew: grownMb > 30 ? Math.round(grownMb) : 0,
};
console.log(bad);
for (const example of examples) console.log(`  ${example}`);
if (Object.values(bad).some((count) => count > 0)) process.exitCode = 1;
