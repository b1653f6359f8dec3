// One warm request after the other through a Middy function, and the same through the core alone.

import middy from "@middy/core";
import { echo, everything, importCore, importMiddleware, textOf } from "../subjects.mjs";
import { runVariant, timeEach } from "../variant.mjs";

const warmUps = 1000;
const requests = 4000;
const options = { lifetime: "environment" };
const context = { awsRequestId: "bench", getRemainingTimeInMillis: () => 60_000 };

await runVariant({
	async bare() {
		const { closeStdioServers, prewarmStdioServer, runStdioRequest } = await importCore();
		await prewarmStdioServer(everything, options);
		const handler = async (event, deadline) =>
			(await runStdioRequest(everything, event, { ...options, deadline })) ?? {};
		return await measure(handler, closeStdioServers);
	},
	async middleware() {
		const { closeStdioServers } = await importCore();
		const { mcpStdioServer } = await importMiddleware();
		const server = mcpStdioServer(everything, options);
		await server.prewarmed;
		return await measure(middy().use(server), closeStdioServers);
	},
});

async function measure(handler, close) {
	const ask = async (id) => textOf(await handler(echo(id), context));
	await timeEach(warmUps, ask);
	const ms = await timeEach(requests, ask);
	await close();
	return { ms };
}
