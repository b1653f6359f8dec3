// Run in an empty folder into which the packed package was installed: each entry point, as a user would call it.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { closeStdioServers } from "mcp-stdio-lambda";
import { LambdaFunctionClientTransport } from "mcp-stdio-lambda/client";
import { startLocalLambda } from "mcp-stdio-lambda/local";
import { mcpStdioServer } from "mcp-stdio-lambda/middy";
import { handler, server } from "./handler.mjs";

const request = {
	jsonrpc: "2.0",
	id: 0,
	method: "tools/call",
	params: { name: "echo", arguments: { message: "Hello" } },
};
const response = { jsonrpc: "2.0", id: 0, result: { content: [{ type: "text", text: "Hello" }] } };

assert.deepEqual(await handler(request, Date.now() + 10_000), response);

// Middy is not here: the middleware needs nothing of it but to be called.
const { before, after } = mcpStdioServer(server, { prewarm: false });
const middyRequest = { event: request, context: {}, internal: {}, response: undefined };
await before(middyRequest);
await after(middyRequest);
assert.deepEqual(middyRequest.response, response);
await closeStdioServers();

const lambda = await startLocalLambda({
	functions: { echo: { handler: fileURLToPath(new URL("handler.mjs", import.meta.url)), timeoutMs: 10_000 } },
});
const invoked = await fetch(`${lambda.endpoint}/2015-03-31/functions/echo/invocations`, {
	method: "POST",
	body: JSON.stringify(request),
});
assert.equal(invoked.status, 200);
assert.deepEqual(await invoked.json(), response);

const client = new Client({ name: "user", version: "1.0.0" });
const transport = new LambdaFunctionClientTransport({
	functionName: "echo",
	regionName: "us-east-1",
	endpoint: lambda.endpoint,
	credentials: { accessKeyId: "local", secretAccessKey: "local" },
});
await client.connect(transport);
assert.equal(client.getServerVersion().name, "smallest");
assert.deepEqual(await client.callTool(request.params), response.result);
await client.close();
await lambda.close();
console.log("the packed package works");
