// What a process weighs: with nothing in it, with the package loaded, and after a thousand requests.

import { setTimeout as delay } from "node:timers/promises";
import { echo, everything, importCore, textOf } from "../subjects.mjs";
import { residentMb, runVariant, timeEach } from "../variant.mjs";

const requests = 1000;

async function settled() {
	await delay(200);
	return { mb: [residentMb()] };
}

await runVariant({
	empty: settled,
	async imported() {
		await importCore();
		return await settled();
	},
	async raw() {
		const { openPipe } = await import("../raw-pipe.mjs");
		const pipe = openPipe(everything);
		await pipe.initialize();
		await timeEach(requests, async (id) => textOf(await pipe.request(echo(id))));
		const samples = await settled();
		await pipe.close();
		return samples;
	},
	async core() {
		const { closeStdioServers, prewarmStdioServer, runStdioRequest } = await importCore();
		const options = { lifetime: "environment" };
		await prewarmStdioServer(everything, options);
		await timeEach(requests, async (id) => textOf(await runStdioRequest(everything, echo(id), options)));
		const samples = await settled();
		await closeStdioServers();
		return samples;
	},
});
