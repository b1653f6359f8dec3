// What a standby costs while nobody asks for anything: its own memory and CPU time, and the CPU time of its host.

import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { everything, importCore } from "../subjects.mjs";
import { runVariant } from "../variant.mjs";

const settleMs = 1000;
const idleMs = 5000;

/** CPU time of all threads, in milliseconds: https://docs.kernel.org/scheduler/sched-stats.html */
function cpuMs(pid) {
	const threads = readdirSync(`/proc/${pid}/task`);
	const ns = threads.map((thread) =>
		Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
	);
	return ns.reduce((sum, each) => sum + each, 0) / 1e6;
}

function residentMbOf(pid) {
	const [, kb] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
	return Number(kb) / 1024;
}

await runVariant({
	async core() {
		const { closeStdioServers, prewarmStdioServer } = await importCore();
		let standby;
		const observer = {
			spawn: ({ pid }) => {
				standby = pid;
			},
		};
		await prewarmStdioServer(everything, { standby: 1, observer });
		await delay(settleMs);
		const before = [cpuMs(standby), cpuMs(process.pid)];
		await delay(idleMs);
		const samples = {
			mb: [residentMbOf(standby)],
			standbyCpuMs: [cpuMs(standby) - before[0]],
			hostCpuMs: [cpuMs(process.pid) - before[1]],
		};
		await closeStdioServers();
		return samples;
	},
});
