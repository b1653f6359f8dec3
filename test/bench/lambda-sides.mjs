// One request after the other to a function: through the AWS SDK alone, and through the transport, on the same client.

import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { echo, importClient, textOf } from "./subjects.mjs";
import { timeEach } from "./variant.mjs";

/** `connect` starts an endpoint with the function `echo`, and gives its address and a way to end it. */
export function lambdaSides(connect, { warmUps, requests }) {
	async function measure(open) {
		const { endpoint, end } = await connect();
		const client = new LambdaClient({
			endpoint,
			region: "us-east-1",
			credentials: { accessKeyId: "local", secretAccessKey: "local" },
		});
		const send = await open(client, "echo");
		const ask = async (id) => textOf(await send(echo(id)));
		await timeEach(warmUps, ask);
		const ms = await timeEach(requests, ask);
		client.destroy();
		await end();
		return { ms };
	}

	return {
		bare: () =>
			measure((client, FunctionName) => async (message) => {
				const { Payload } = await client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(message) }));
				return JSON.parse(Buffer.from(Payload).toString());
			}),
		transport: () =>
			measure(async (client, functionName) => {
				const { LambdaFunctionClientTransport } = await importClient();
				const transport = new LambdaFunctionClientTransport({ functionName, client });
				let answer;
				transport.onmessage = (message) => {
					answer = message;
				};
				return async (message) => {
					await transport.send(message);
					return answer;
				};
			}),
	};
}
