// The client at a warm function in the local Lambda: what it costs of a call that does something.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { lambdaSides } from "../lambda-sides.mjs";
import { runVariant } from "../variant.mjs";

async function connect() {
	const host = fork(fileURLToPath(new URL("../local-lambda.mjs", import.meta.url)));
	const [endpoint] = await once(host, "message");
	return {
		endpoint,
		async end() {
			host.disconnect();
			await once(host, "exit");
		},
	};
}

await runVariant(lambdaSides(connect, { warmUps: 300, requests: 1000 }));
