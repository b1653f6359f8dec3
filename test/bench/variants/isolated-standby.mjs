// The first request to a process that is started and initialised and has waited for a while.

import { setTimeout as delay } from "node:timers/promises";
import { openPipe } from "../raw-pipe.mjs";
import { echo, everything, importCore, textOf } from "../subjects.mjs";
import { createCounter, runVariant, timeEach } from "../variant.mjs";

const requests = 8;

// The server under test does some work of its own 350 ms after it was initialised.
const idleMs = 450;

await runVariant({
	async raw() {
		let pipe;
		const start = async () => {
			pipe = openPipe(everything);
			await pipe.initialize();
			await delay(idleMs);
		};
		const ask = async (id) => textOf(await pipe.request(echo(id)));
		await start();
		const ms = await timeEach(requests, ask, async () => {
			await pipe.close();
			await start();
		});
		await pipe.close();
		return { ms };
	},
	async core() {
		const { closeStdioServers, prewarmStdioServer, runStdioRequest } = await importCore();
		const { observer, until } = createCounter();
		const options = { standby: 1, observer };
		await prewarmStdioServer(everything, options);
		await delay(idleMs);
		const ask = async (id) => textOf(await runStdioRequest(everything, echo(id), options));
		const ms = await timeEach(requests, ask, async (answered) => {
			await until("exit", answered);
			await until("ready", answered + 1);
			await delay(idleMs);
		});
		await closeStdioServers();
		return { ms };
	},
});
