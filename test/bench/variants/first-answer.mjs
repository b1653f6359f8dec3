// A whole process that asks once, prints the answer and ends. The clock is outside.

import { echo, everything, importCore, importReference, textOf } from "../subjects.mjs";
import { runVariant } from "../variant.mjs";

await runVariant({
	async raw() {
		const { openPipe } = await import("../raw-pipe.mjs");
		const pipe = openPipe(everything);
		await pipe.initialize();
		const answer = textOf(await pipe.request(echo(1)));
		setImmediate(pipe.close);
		return { answer };
	},
	async core() {
		const { runStdioRequest } = await importCore();
		return { answer: textOf(await runStdioRequest(everything, echo(1), { standby: 0 })) };
	},
	async reference() {
		const { stdioServerAdapter } = await importReference();
		return { answer: textOf(await stdioServerAdapter(everything, echo(1), {})) };
	},
});
