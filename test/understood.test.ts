import { describe, expect, test } from "vitest";
import { type JsonRpcNotification, runStdioRequest } from "../src/index.ts";
import { leaveNothingBehind } from "./support/processes.ts";
import { record, silent } from "./support/recorder.ts";
import {
	callTool,
	echo,
	errorOf,
	failureOf,
	fixture,
	initialize,
	inlineFixture,
	lifetimes,
	pid,
	resultOf,
	textOf,
} from "./support/servers.ts";

leaveNothingBehind();

/** A server whose tool `say` writes the text that it is given, with ID in place of the request's id, and does not answer. */
const says = inlineFixture(`serve({ tools: {
	say: ({ text }, call) => {
		process.stdout.write(text.replaceAll("ID", String(call.id ?? call.requestId)));
		return never;
	},
} });`);

const ok = '{"jsonrpc":"2.0","id":ID,"result":{"ok":1}}';

describe.each(lifetimes)("in the lifetime %s, an answer", (lifetime) => {
	const say = async (text: string) =>
		await runStdioRequest(says, callTool("say", { text }, { id: "mine" }), {
			lifetime,
			standby: 0,
			observer: silent,
			timeoutMs: 5000,
		});

	test.each([
		["with the id as a string", `${ok.replace("ID", '"ID"')}\n`],
		["with text behind it", `${ok} done\n`],
		["behind a byte-order mark", `\ufeff${ok}\n`],
		["in colours", `\u001b[32m${ok}\u001b[0m\n`],
		["behind another message on its line", `{"jsonrpc":"2.0","method":"notifications/message","params":{}}${ok}\n`],
		["with error: null", `${ok.replace('"result"', '"error":null,"result"')}\n`],
		["with Content-Length headers", `Content-Length: ${ok.length - 1}\r\n\r\n${ok}`],
		["with a carriage return", `${ok}\r\n`],
	])("%s is understood", async (_, text) => {
		expect(await say(text)).toEqual({ jsonrpc: "2.0", id: "mine", result: { ok: 1 } });
	});

	test.each([
		["with NaN", `${ok.replace("1}", "NaN}")}\n`],
		["with a raw line break in a string", `${ok.replace("1}", '"a')}\n"}}\n`],
		["with neither a result nor an error", '{"jsonrpc":"2.0","id":ID}\n'],
		["with both null", '{"jsonrpc":"2.0","id":ID,"error":null}\n'],
		["nested very deeply", `${ok.replace("1}", `${"[".repeat(20_000)}${"]".repeat(20_000)}}`)}\n`],
	])("%s fails at once", async (_, text) => {
		expect(failureOf(await say(text)).code).toBe("INVALID_ANSWER");
	});

	test.each([-32700, -32602, -32603, -32000, 7])(
		"that is an error without an id, with the code %i, is the request's",
		async (code) => {
			const error = { code, message: "no" };
			expect(errorOf(await say(`${JSON.stringify({ jsonrpc: "2.0", id: null, error })}\n`))).toEqual(error);
			expect(errorOf(await say(`${JSON.stringify({ jsonrpc: "2.0", error })}\n`))).toEqual(error);
		},
	);

	test("has the digits that the server wrote", async () => {
		const numbers = '{"id":1915883588174806058,"n":[1e400,1.0,-0,0.10],"d":{"x":2.50}}';
		const response = await say(`{"jsonrpc":"2.0","id":ID,"result":${numbers}}\n`);
		expect(JSON.stringify(response)).toBe(`{"jsonrpc":"2.0","id":"mine","result":${numbers}}`);
	});
});

test("progress with the token as a string reaches its request", async () => {
	const received: JsonRpcNotification[] = [];
	const call = callTool("progress", {}, { progressToken: "mine" });
	await runStdioRequest(fixture("string-id"), call, { standby: 0, onNotification: (told) => void received.push(told) });
	expect(received).toMatchObject([{ params: { progressToken: "mine" } }]);
});

describe.each(lifetimes)("in the lifetime %s, a server that refuses the newest version", (lifetime) => {
	test.each([
		["names those that it has", '{ supported: ["2024-11-05"] }'],
		["names none", "undefined"],
	])("and %s is asked for one that it takes", async (_, data) => {
		const params = inlineFixture(`serve({ methods: { initialize: (params) => {
			if (params.protocolVersion !== "2024-11-05") throw new ProtocolError(-32602, "Unsupported protocol version", ${data});
			return initialize(params);
		} } });`);
		const told = record();
		const options = { lifetime, standby: 0, observer: told.observer };
		expect(textOf(await runStdioRequest(params, echo, options))).toBe("Echo: hello");
		expect(textOf(await runStdioRequest(params, echo, options))).toBe("Echo: hello");
		expect(told.failure).toEqual([]);
		expect(resultOf(await runStdioRequest(params, initialize("2024-11-05"), options)).protocolVersion).toBe(
			"2024-11-05",
		);
	});
});

describe("a process that is there is not waited for", () => {
	test("an initialize with another version takes the place of an idle standby", async () => {
		const told = record();
		const options = { standby: 1, maxProcesses: 1, timeoutMs: 10_000, observer: told.observer };
		await runStdioRequest(fixture("well-behaved"), pid, options);
		await expect.poll(() => told.ready.length).toBeGreaterThan(1);
		const response = await runStdioRequest(fixture("well-behaved"), initialize("2025-06-18"), options);
		expect(resultOf(response).protocolVersion).toBe("2025-06-18");
	});

	test("a request in the queue gets the process that another gave up on", async () => {
		const told = record();
		const params = fixture("slow-initialize", "1500");
		const options = { standby: 1, maxProcesses: 1, observer: told.observer };
		const first = runStdioRequest(params, echo, { ...options, timeoutMs: 700 });
		await expect.poll(() => told.spawn.length).toBe(1);
		const second = runStdioRequest(params, pid, { ...options, timeoutMs: 15_000 });
		expect(failureOf(await first).code).toBe("TIMEOUT");
		expect(Number(textOf(await second))).toBe(told.spawn[0]?.pid);
	});
});
