import { equal, notEqual } from "node:assert/strict";
import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { deployLocally } from "../infrastructure/deployed.ts";
import { measure } from "./measure.ts";

async function callTool(client: Client, name: string, args: Record<string, unknown> = {}): Promise<string> {
	const { content, isError } = await client.callTool({ name, arguments: args });
	const [first] = content as { readonly text: string }[];
	equal(isError ?? false, false, first?.text);
	return first?.text ?? "";
}

const count = (client: Client, text: string) => callTool(client, "count-words", { text });

async function askAbout(client: Client): Promise<{ readonly pid: number; readonly calls: number }> {
	return JSON.parse(await callTool(client, "about"));
}

{
	await using deployed = await deployLocally("environment-lifetime");
	const client = await deployed.connect();
	equal(await count(client, "three words here"), "3");
	const first = await askAbout(client);
	equal(await count(client, "two words"), "2");
	const second = await askAbout(client);
	equal(second.pid, first.pid);
	console.log("one process serves all requests of an environment");

	const other = await deployed.connect();
	equal((await askAbout(other)).calls, 2);
	console.log("what it remembers of one caller, another one sees: keep a server warm only if it remembers nothing");

	process.kill(first.pid, "SIGKILL");
	// It died while the environment was frozen, where nobody could notice: the next request may be the one that does.
	const counted = await count(client, "still there").catch((error: { readonly data?: { readonly code?: string } }) => {
		equal(error.data?.code, "SERVER_EXITED");
		return count(client, "still there");
	});
	equal(counted, "2");
	const third = await askAbout(client);
	notEqual(third.pid, first.pid);
	equal(third.calls, 1);
	console.log("after a crash another process is started, and what the first remembered is gone");
	await client.close();
	await other.close();
}
{
	await using deployed = await deployLocally("environment-lifetime", { environment: { LIFETIME: "request" } });
	const client = await deployed.connect();
	await count(client, "three words here");
	const [first, second] = [await askAbout(client), await askAbout(client)];
	notEqual(first.pid, second.pid);
	equal(first.calls + second.calls, 0);
	console.log("in the default lifetime each request has a process that remembers nobody");
	await client.close();
}

await measure();
