// A thousand requests at once on one process.

import { openPipe } from "../raw-pipe.mjs";
import { echo, everything, importCore, textOf } from "../subjects.mjs";
import { runVariant, timeEach } from "../variant.mjs";

const atOnce = 1000;
const warmUps = 3;
const batches = 8;

const idsOf = (batch) => Array.from({ length: atOnce }, (_, index) => batch * atOnce + index);
const perSecond = (samples) => samples.map((ms) => (atOnce * 1000) / ms);

await runVariant({
	async raw() {
		const pipe = openPipe(everything);
		await pipe.initialize();
		const askAll = async (batch) => (await pipe.requestAll(idsOf(batch).map(echo))).forEach(textOf);
		await timeEach(warmUps, askAll);
		const perSec = perSecond(await timeEach(batches, askAll));
		await pipe.close();
		return { perSec };
	},
	async core() {
		const { closeStdioServers, prewarmStdioServer, runStdioRequest } = await importCore();
		const options = { lifetime: "environment" };
		await prewarmStdioServer(everything, options);
		const ask = (id) => runStdioRequest(everything, echo(id), options);
		const askAll = async (batch) => (await Promise.all(idsOf(batch).map(ask))).forEach(textOf);
		await timeEach(warmUps, askAll);
		const perSec = perSecond(await timeEach(batches, askAll));
		await closeStdioServers();
		return { perSec };
	},
});
