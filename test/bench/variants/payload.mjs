// Large answers from one process.

import { openPipe } from "../raw-pipe.mjs";
import { importCore, payload, textOf, wellBehaved } from "../subjects.mjs";
import { runVariant, timeEach } from "../variant.mjs";

const sizes = [
	{ name: "100 kB", bytes: 100_000, requests: 30 },
	{ name: "1 MB", bytes: 1_000_000, requests: 12 },
	{ name: "5 MB", bytes: 5_000_000, requests: 8 },
	{ name: "20 MB", bytes: 20_000_000, requests: 4 },
];

async function timeSizes(ask) {
	const samples = {};
	for (const { name, bytes, requests } of sizes) {
		const run = async (id) => {
			if (textOf(await ask(payload(id, bytes))).length !== bytes) throw new Error(`not ${bytes} bytes`);
		};
		await timeEach(2, run);
		samples[name] = await timeEach(requests, run);
	}
	return samples;
}

await runVariant({
	async raw() {
		const pipe = openPipe(wellBehaved);
		await pipe.initialize();
		const samples = await timeSizes(pipe.request);
		await pipe.close();
		return samples;
	},
	async core() {
		const { closeStdioServers, prewarmStdioServer, runStdioRequest } = await importCore();
		const options = { lifetime: "environment" };
		await prewarmStdioServer(wellBehaved, options);
		const samples = await timeSizes((message) => runStdioRequest(wellBehaved, message, options));
		await closeStdioServers();
		return samples;
	},
});
