// The client at an endpoint that answers at once: what it costs by itself.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { lambdaSides } from "../lambda-sides.mjs";
import { runVariant } from "../variant.mjs";

async function connect() {
	const stub = fork(fileURLToPath(new URL("../lambda-stub.mjs", import.meta.url)));
	const [port] = await once(stub, "message");
	return {
		endpoint: `http://127.0.0.1:${port}`,
		async end() {
			stub.disconnect();
			await once(stub, "exit");
		},
	};
}

await runVariant(lambdaSides(connect, { warmUps: 2000, requests: 4000 }));
