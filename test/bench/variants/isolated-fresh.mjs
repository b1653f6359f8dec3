// A request that starts its own process: start, handshake, answer.

import { setTimeout as delay } from "node:timers/promises";
import { openPipe } from "../raw-pipe.mjs";
import { echo, everything, importCore, importReference, textOf } from "../subjects.mjs";
import { createCounter, runVariant, timeEach } from "../variant.mjs";

const warmUps = 1;
const requests = 8;

// The last process is gone for a while when the next one starts.
const idleMs = 200;

await runVariant({
	async raw() {
		let pipe;
		const ask = async (id) => {
			pipe = openPipe(everything);
			await pipe.initialize();
			textOf(await pipe.request(echo(id)));
		};
		const end = async () => {
			await pipe.close();
			await delay(idleMs);
		};
		await timeEach(warmUps, ask, end);
		return { ms: await timeEach(requests, ask, end) };
	},
	async core() {
		const { closeStdioServers, runStdioRequest } = await importCore();
		const { observer, until } = createCounter();
		const ask = async (id) => textOf(await runStdioRequest(everything, echo(id), { standby: 0, observer }));
		let answered = 0;
		const end = async () => {
			answered += 1;
			await until("exit", answered);
			await delay(idleMs);
		};
		await timeEach(warmUps, ask, end);
		const ms = await timeEach(requests, ask, end);
		await closeStdioServers();
		return { ms };
	},
	async reference() {
		const { stdioServerAdapter } = await importReference();
		const ask = async (id) => textOf(await stdioServerAdapter(everything, echo(id), {}));
		await timeEach(warmUps, ask);
		return { ms: await timeEach(4, ask, () => delay(idleMs)) };
	},
});
