import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { LambdaFunctionClientTransport } from "../../src/client/index.ts";

const request = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "echo" } } as const;

// `signal` is what Vercel's MCP client gives, `requestSignal` what the MCP SDK 2 does.
test.each([
	["signal", undefined],
	["requestSignal", undefined],
	["signal", "requestSignal"],
	["requestSignal", "signal"],
])("ends the HTTP call when the %s of a message fires, beside %s", async (name, other) => {
	const lambda = createServer().listen(0, "127.0.0.1");
	await once(lambda, "listening");
	const transport = new LambdaFunctionClientTransport({
		functionName: "everything",
		regionName: "us-east-1",
		endpoint: `http://127.0.0.1:${(lambda.address() as AddressInfo).port}`,
		credentials: { accessKeyId: "local", secretAccessKey: "local" },
	});
	try {
		const controller = new AbortController();
		const called = once(lambda, "request");
		const sent = transport.send(request, {
			...(other && { [other]: new AbortController().signal }),
			[name]: controller.signal,
		});
		sent.catch(() => {});
		const [, response] = await called;
		const ended = once(response, "close");
		controller.abort(new Error("the user has left"));
		await expect(sent).rejects.toMatchObject({ code: "ABORTED", cause: { message: "the user has left" } });
		await ended;
		expect(response.writableEnded).toBe(false);
	} finally {
		await transport.close();
		lambda.closeAllConnections();
		lambda.close();
	}
});
