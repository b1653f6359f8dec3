import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import middy from "@middy/core";
import secretsManager from "@middy/secrets-manager";
import { expect, onTestFinished, test } from "vitest";
import { mcpStdioServer } from "../../middleware/index.ts";
import type { JsonRpcResponse } from "../../src/index.ts";
import { leaveNothingBehind } from "../support/processes.ts";
import { record } from "../support/recorder.ts";
import { callTool, fixture, jsonOf } from "../support/servers.ts";
import { lambdaContext } from "./middy.ts";

leaveNothingBehind();

/** Stands in for AWS Secrets Manager; counts how often the secret was read. */
async function startSecretsManager(): Promise<{ endpoint: string; secret: string; reads: number }> {
	const stub = { endpoint: "", secret: "first", reads: 0 };
	const server = createServer((request, response) => {
		request.resume().on("end", () => {
			stub.reads += 1;
			expect(request.headers["x-amz-target"]).toBe("secretsmanager.GetSecretValue");
			response.setHeader("content-type", "application/x-amz-json-1.1");
			response.end(JSON.stringify({ Name: "weather", SecretString: JSON.stringify({ apiKey: stub.secret }) }));
		});
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	onTestFinished(() => void server.close());
	stub.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	return stub;
}

type Secrets = { readonly weather: { readonly apiKey: string } };

test("a secret that @middy/secrets-manager has fetched reaches the server; a rotated one reaches a new server", async () => {
	const stub = await startSecretsManager();
	const told = record();
	const handle = middy()
		.use(
			secretsManager({
				fetchData: { weather: "weather" },
				cacheExpiry: 1500,
				setToContext: true,
				disablePrefetch: true,
				awsClientOptions: {
					endpoint: stub.endpoint,
					region: "us-east-1",
					credentials: { accessKeyId: "local", secretAccessKey: "local" },
				},
			}),
		)
		.use(
			mcpStdioServer(
				({ context }) => ({
					...fixture("well-behaved"),
					env: { API_KEY: (context as unknown as Secrets).weather.apiKey },
				}),
				{ lifetime: "environment", observer: told.observer },
			),
		);
	const readKey = async () => {
		const response = await handle(callTool("environment", { name: "API_KEY" }), lambdaContext() as never);
		return jsonOf(response as unknown as JsonRpcResponse);
	};
	expect(await readKey()).toBe("first");
	expect(await readKey()).toBe("first");
	expect(stub.reads).toBe(1);
	expect(told.spawn).toHaveLength(1);
	stub.secret = "rotated";
	await expect.poll(readKey, { timeout: 60_000 }).toBe("rotated");
	expect(told.spawn).toHaveLength(2);
	const { observer: _, ...events } = told;
	expect(JSON.stringify(events)).not.toMatch(/first|rotated/);
});
