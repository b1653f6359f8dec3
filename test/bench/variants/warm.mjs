// One request after the other on a process that is there already.

import { openPipe } from "../raw-pipe.mjs";
import { echo, everything, importCore, importReference, textOf } from "../subjects.mjs";
import { runVariant, timeEach } from "../variant.mjs";

const warmUps = 500;
const requests = 2000;

await runVariant({
	async raw() {
		const pipe = openPipe(everything);
		await pipe.initialize();
		const ask = async (id) => textOf(await pipe.request(echo(id)));
		await timeEach(warmUps, ask);
		const ms = await timeEach(requests, ask);
		await pipe.close();
		return { ms };
	},
	async core() {
		const { closeStdioServers, prewarmStdioServer, runStdioRequest } = await importCore();
		await prewarmStdioServer(everything, { lifetime: "environment" });
		const ask = async (id) => textOf(await runStdioRequest(everything, echo(id), { lifetime: "environment" }));
		await timeEach(warmUps, ask);
		const ms = await timeEach(requests, ask);
		await closeStdioServers();
		return { ms };
	},
	async reference() {
		const { stdioServerAdapter } = await importReference();
		const ask = async (id) => textOf(await stdioServerAdapter(everything, echo(id), {}));
		await timeEach(1, ask);
		return { ms: await timeEach(4, ask) };
	},
});
