// One request after the other to an endpoint that answers at once: through the AWS SDK alone, and through the transport.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { echo, importClient, textOf } from "../subjects.mjs";
import { runVariant, timeEach } from "../variant.mjs";

const warmUps = 2000;
const requests = 4000;
const FunctionName = "echo";

await runVariant({
	async bare() {
		const { client, end } = await connect();
		return await measure(async (message) => {
			const { Payload } = await client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(message) }));
			return JSON.parse(Buffer.from(Payload).toString());
		}, end);
	},
	async transport() {
		const { LambdaFunctionClientTransport } = await importClient();
		const { client, end } = await connect();
		const transport = new LambdaFunctionClientTransport({ functionName: FunctionName, client });
		let answer;
		transport.onmessage = (message) => {
			answer = message;
		};
		return await measure(async (message) => {
			await transport.send(message);
			return answer;
		}, end);
	},
});

async function connect() {
	const stub = fork(fileURLToPath(new URL("../lambda-stub.mjs", import.meta.url)));
	const [port] = await once(stub, "message");
	const client = new LambdaClient({
		endpoint: `http://127.0.0.1:${port}`,
		region: "us-east-1",
		credentials: { accessKeyId: "local", secretAccessKey: "local" },
	});
	return {
		client,
		async end() {
			client.destroy();
			stub.disconnect();
			await once(stub, "exit");
		},
	};
}

async function measure(send, end) {
	const ask = async (id) => textOf(await send(echo(id)));
	await timeEach(warmUps, ask);
	const ms = await timeEach(requests, ask);
	await end();
	return { ms };
}
