import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type JsonRpcNotification, runStdioRequest, type StdioServerParams } from "../src/index.ts";
import { leaveNothingBehind, until } from "./support/processes.ts";
import { record, silent } from "./support/recorder.ts";
import {
	callTool,
	echo,
	errorOf,
	failureOf,
	fixture,
	initialize,
	inlineFixture,
	jsonOf,
	lifetimes,
	resultOf,
	textOf,
} from "./support/servers.ts";

leaveNothingBehind();

const wellBehaved = fixture("well-behaved");
const missing: StdioServerParams = { command: "/does/not/exist" };
const quiet = { observer: silent, standby: 0 };

describe("a message that cannot be read", () => {
	const throwing = (member: string): object =>
		Object.defineProperty({}, member, {
			enumerable: true,
			get() {
				throw new Error("no");
			},
		});
	const revoked = (): object => {
		const { proxy, revoke } = Proxy.revocable({}, {});
		revoke();
		return proxy;
	};

	test.each<[string, () => unknown, string]>([
		[
			"a getter of its own throws",
			() => Object.assign(throwing("method"), { jsonrpc: "2.0", id: 1 }),
			"INVALID_MESSAGE",
		],
		["it is a revoked proxy", revoked, "INVALID_MESSAGE"],
		["its params are a revoked proxy", () => ({ ...echo, params: revoked() }), "INVALID_MESSAGE"],
		["its id is a revoked proxy", () => ({ ...echo, id: revoked() }), "INVALID_MESSAGE"],
		["a getter in its params throws", () => ({ ...echo, params: throwing("name") }), "INVALID_JSON"],
		["a proxy in its params is revoked", () => ({ ...echo, params: { name: revoked() } }), "INVALID_JSON"],
	])("is answered with an error where %s", async (_, make, code) => {
		for (const lifetime of lifetimes) {
			const response = await runStdioRequest(wellBehaved, make(), { ...quiet, lifetime });
			expect(failureOf(response).code).toBe(code);
		}
	});
});

describe("a message that is no request", () => {
	test.each<[string, unknown, string | number | null, string]>([
		["undefined", undefined, null, "missing, not an object"],
		["null", null, null, "null, not an object"],
		["a number", 42, null, "the number 42, not an object"],
		["a bigint", 42n, null, "bigint"],
		["a text", "tools/list", null, 'the string "tools/list", not an object'],
		["an empty batch", [], null, "a batch; send one message at a time"],
		["a batch", [echo], null, "a batch; send one message at a time"],
		["an empty object", {}, null, 'jsonrpc must be "2.0", not missing'],
		["JSON-RPC 1.0", { ...echo, jsonrpc: "1.0" }, 1, 'jsonrpc must be "2.0", not the string "1.0"'],
		["a numeric version", { ...echo, jsonrpc: 2 }, 1, 'jsonrpc must be "2.0", not the number 2'],
		["the id null", { ...echo, id: null }, null, "id must be a string or an integer, not null"],
		["a fractional id", { ...echo, id: 1.5 }, null, "id must be a string or an integer, not the number 1.5"],
		["an id that is no safe integer", { ...echo, id: 2 ** 53 }, null, "id must be a string or an integer"],
		["the id NaN", { ...echo, id: Number.NaN }, null, "id must be a string or an integer"],
		["a boolean id", { ...echo, id: true }, null, "id must be a string or an integer, not the boolean true"],
		["an object as id", { ...echo, id: {} }, null, "id must be a string or an integer, not an object"],
		["an array as id", { ...echo, id: [1] }, null, "id must be a string or an integer, not an array"],
		["a bigint as id", { ...echo, id: 1n }, null, "id must be a string or an integer"],
		["no method", { jsonrpc: "2.0", id: "a" }, "a", "method must be a string, not missing"],
		["a method that is no text", { ...echo, method: 1 }, 1, "method must be a string, not the number 1"],
		["params that are an array", { ...echo, params: [] }, 1, "params must be an object, not an array"],
		["params that are a text", { ...echo, params: "x" }, 1, 'params must be an object, not the string "x"'],
		["params that are null", { ...echo, params: null }, 1, "params must be an object, not null"],
		["a result", { jsonrpc: "2.0", id: 0, result: {} }, 0, "the message is a response"],
		["an error", { jsonrpc: "2.0", id: "", error: {} }, "", "the message is a response"],
	])("is refused with -32600 and the id that can be read: %s", async (_, message, id, problem) => {
		const told = record();
		expect(await runStdioRequest(wellBehaved, message, { observer: told.observer })).toEqual({
			jsonrpc: "2.0",
			id,
			error: {
				code: -32600,
				message: expect.stringContaining(problem),
				data: { code: "INVALID_MESSAGE", phase: "validate", elapsedMs: expect.any(Number) },
			},
		});
		expect(told.kinds).toEqual(["failure"]);
	});

	const cyclic: Record<string, unknown> = {};
	cyclic.self = cyclic;
	const failing = {
		toJSON: () => {
			throw new Error("No JSON");
		},
	};

	test.each([
		["a cycle", cyclic],
		["a bigint", { value: 1n }],
		["a toJSON that throws", failing],
	])("is refused with -32700 when it cannot be written as JSON: %s", async (_, args) => {
		for (const lifetime of lifetimes) {
			const response = await runStdioRequest(wellBehaved, callTool("echo", args, { id: "bad" }), {
				...quiet,
				lifetime,
			});
			expect(response).toMatchObject({ id: "bad", error: { code: -32700, data: { code: "INVALID_JSON" } } });
			expect(textOf(await runStdioRequest(wellBehaved, echo, { ...quiet, lifetime }))).toBe("Echo: hello");
		}
	});

	const json = fc.jsonValue({ maxDepth: 3 });
	const nearlyARequest = fc.record(
		{
			jsonrpc: fc.oneof({ weight: 4, arbitrary: fc.constant("2.0") }, json),
			id: fc.oneof(fc.string(), fc.integer(), json),
			method: fc.oneof(fc.constantFrom("ping", "initialize", "tools/list"), fc.string(), json),
			params: fc.oneof(fc.dictionary(fc.string(), json), json),
			result: json,
			error: json,
		},
		{ requiredKeys: [] },
	);
	const isId = (value: unknown) => typeof value === "string" || Number.isSafeInteger(value);

	test("never makes a call reject, whatever JSON it is", async () => {
		const property = fc.asyncProperty(fc.oneof(json, nearlyARequest), async (message) => {
			const response = await runStdioRequest(missing, message, quiet);
			if (response === undefined) {
				expect(message).toMatchObject({ jsonrpc: "2.0", method: expect.any(String) });
				expect(message).not.toHaveProperty("id");
				return;
			}
			const id = (message as { id?: unknown } | null)?.id;
			expect(response).toMatchObject({ jsonrpc: "2.0", id: isId(id) ? id : null });
			expect("result" in response).not.toBe("error" in response);
		});
		await fc.assert(property, { numRuns: 300 });
	});
});

describe("an id", () => {
	test.each([0, 1, -7, Number.MAX_SAFE_INTEGER, "", "a", "0", "null", "ünï 👩‍👩‍👧‍👦"])(
		"comes back as it was: %j",
		async (id) => {
			for (const lifetime of lifetimes) {
				const response = await runStdioRequest(wellBehaved, { ...echo, id }, { lifetime, standby: 0 });
				expect(response).toMatchObject({ jsonrpc: "2.0", id, result: { content: [{ text: "Echo: hello" }] } });
			}
		},
	);
});

describe("a notification", () => {
	test.each([
		{ jsonrpc: "2.0", method: "notifications/initialized" },
		{ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } },
		{ jsonrpc: "2.0", method: "tools/call", params: { name: "exit" } },
		{ jsonrpc: "2.0", method: "ping" },
		{ jsonrpc: "2.0", method: "initialize" },
	])("is answered by nothing and starts nothing: $method", async (notification) => {
		const told = record();
		for (const lifetime of lifetimes) {
			expect(await runStdioRequest(wellBehaved, notification, { observer: told.observer, lifetime })).toBeUndefined();
		}
		await new Promise((resolve) => setTimeout(resolve, 30));
		expect(told.kinds).toEqual([]);
	});
});

describe.each(lifetimes)("what a server answers, in the lifetime %s,", (lifetime) => {
	const options = { lifetime, standby: 0 };

	test("passes through with its unknown fields when it is a result", async () => {
		expect(await runStdioRequest(wellBehaved, echo, options)).toEqual({
			jsonrpc: "2.0",
			id: 1,
			result: { content: [{ type: "text", text: "Echo: hello" }], _meta: { fixture: true }, unknownField: 1 },
		});
	});

	test.each([
		[{}, { code: -32000, message: "Failed as asked" }],
		[
			{ code: 429, message: "" },
			{ code: 429, message: "" },
		],
		[{ data: null }, { code: -32000, message: "Failed as asked", data: null }],
		[
			{ code: -32002, message: "Not found", data: { uri: "file:///x", nested: [{ a: 1 }] } },
			{ code: -32002, message: "Not found", data: { uri: "file:///x", nested: [{ a: 1 }] } },
		],
	])("passes through with its data and unknown fields when it is an error: %j", async (args, error) => {
		expect(await runStdioRequest(wellBehaved, callTool("fail", args, { id: "x" }), options)).toEqual({
			jsonrpc: "2.0",
			id: "x",
			error: { ...error, unknownField: 1 },
			unknownField: 1,
		});
	});

	test("passes through when it knows neither the method nor the tool", async () => {
		const unknown = { jsonrpc: "2.0", id: 5, method: "no/such" };
		expect(await runStdioRequest(wellBehaved, unknown, options)).toEqual({
			jsonrpc: "2.0",
			id: 5,
			error: { code: -32601, message: "Method not found: no/such" },
		});
		expect(errorOf(await runStdioRequest(wellBehaved, callTool("no such"), options))).toEqual({
			code: -32602,
			message: "Unknown tool: no such",
		});
	});

	test("is told every member of the request, known or not", async () => {
		const reads = inlineFixture(`serve({ before: (call) => {}, tools: {} });
			process.stdin.removeAllListeners("data").on("data", (chunk) => {
				for (const line of chunk.trim().split("\\n")) {
					const received = JSON.parse(line);
					if (received.id === undefined) continue;
					send({ jsonrpc: "2.0", id: received.id, result: { ...initialize(received.params), received } });
				}
			});`);
		const request = {
			jsonrpc: "2.0",
			id: "mine",
			method: "any/method",
			params: { a: [1, { b: null }], _meta: { "example.com/key": "value", progressToken: "mine" } },
			trailer: { kept: true },
		} as const;
		const { received } = resultOf(await runStdioRequest(reads, request, options));
		expect(received).toEqual({
			...request,
			id: expect.any(Number),
			params: { ...request.params, _meta: { "example.com/key": "value", progressToken: expect.any(Number) } },
		});
	});

	test("passes through whatever characters it has", async () => {
		expect(textOf(await runStdioRequest(wellBehaved, callTool("unicode"), options))).toBe(
			"Grüße, κόσμε, 世界, 👩‍👩‍👧‍👦, \u0085\u2028\u2029",
		);
		const message = "\0\u0001\ud800 \u2028 👩‍👩‍👧‍👦 \\n \n";
		expect(textOf(await runStdioRequest(wellBehaved, callTool("echo", { message }), options))).toBe(`Echo: ${message}`);
	});
});

describe("ping", () => {
	test.each(lifetimes)("is answered without a process, in the lifetime %s", async (lifetime) => {
		const told = record();
		const ping = { jsonrpc: "2.0", id: 0, method: "ping" };
		expect(await runStdioRequest(missing, ping, { lifetime, observer: told.observer })).toEqual({
			jsonrpc: "2.0",
			id: 0,
			result: {},
		});
		expect(told.kinds).toEqual([]);
	});
});

describe.each(lifetimes)("initialize, in the lifetime %s,", (lifetime) => {
	test.each(["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])(
		"is answered with the server's own result, negotiated for %s",
		async (protocolVersion) => {
			expect(await runStdioRequest(wellBehaved, initialize(protocolVersion, ""), { lifetime, standby: 0 })).toEqual({
				jsonrpc: "2.0",
				id: "",
				result: {
					protocolVersion,
					capabilities: { tools: {}, logging: {} },
					serverInfo: { name: "well-behaved", version: "1.0.0" },
				},
			});
		},
	);

	test("is answered with the version that the server offers instead of an unknown one", async () => {
		const response = await runStdioRequest(wellBehaved, initialize("1999-01-01"), { lifetime, standby: 0 });
		expect(resultOf(response).protocolVersion).toBe("2025-11-25");
	});

	test.each([{}, { protocolVersion: 1 }, undefined])(
		"is refused with -32602, without a process, when its params are %j",
		async (params) => {
			const told = record();
			const request = { jsonrpc: "2.0", id: 3, method: "initialize", params };
			const response = await runStdioRequest(wellBehaved, request, { lifetime, observer: told.observer });
			expect(response).toMatchObject({ id: 3, error: { code: -32602 } });
			expect(told.spawn).toEqual([]);
		},
	);

	test("costs a process once (for each version, in the lifetime request), and none the next time", async () => {
		const told = record();
		const options = { lifetime, standby: 0, observer: told.observer };
		const first = [];
		for (const version of ["2025-11-25", "2025-06-18"]) {
			first.push(resultOf(await runStdioRequest(wellBehaved, initialize(version), options)));
		}
		const spawned = lifetime === "request" ? 2 : 1;
		expect(told.spawn).toHaveLength(spawned);
		expect(first.map(({ protocolVersion }) => protocolVersion)).toEqual(["2025-11-25", "2025-06-18"]);
		const again = [];
		for (const version of ["2025-11-25", "2025-06-18"]) {
			again.push(resultOf(await runStdioRequest(wellBehaved, initialize(version, "again"), options)));
		}
		expect(again).toEqual(first);
		expect(told.spawn).toHaveLength(spawned);
	});

	test("costs one process when many ask at once", async () => {
		const told = record();
		const options = { lifetime, standby: 0, observer: told.observer };
		const responses = await Promise.all(
			Array.from({ length: 20 }, (_, id) => runStdioRequest(wellBehaved, initialize("2025-11-25", id), options)),
		);
		expect(responses.map((response) => response?.id)).toEqual(Array.from({ length: 20 }, (_, id) => id));
		expect(told.spawn).toHaveLength(1);
	});

	test("gives each caller a result of its own", async () => {
		const options = { lifetime, standby: 0 };
		const first = resultOf(await runStdioRequest(wellBehaved, initialize("2025-11-25"), options));
		first.serverInfo.name = "spoilt";
		const second = resultOf(await runStdioRequest(wellBehaved, initialize("2025-11-25"), options));
		expect(second.serverInfo.name).toBe("well-behaved");
	});

	test("is never sent to a process that is initialised already", async () => {
		const options = { lifetime, standby: 1 };
		for (const version of ["2025-11-25", "2025-11-25", "2024-11-05"]) {
			await runStdioRequest(wellBehaved, initialize(version), options);
		}
		await runStdioRequest(wellBehaved, echo, options);
		await runStdioRequest(wellBehaved, initialize("2025-11-25"), options);
		const seen = jsonOf(await runStdioRequest(wellBehaved, callTool("requests-seen"), options));
		const methods = seen.map(({ method }: { method: string }) => method).slice(0, 3);
		expect(methods).toEqual(["initialize", "notifications/initialized", "tools/call"]);
		expect(seen.filter(({ method }: { method: string }) => method === "initialize")).toHaveLength(1);
	});

	test("is not needed before a request", async () => {
		const response = await runStdioRequest(fixture("gates-initialize"), echo, { lifetime, standby: 0 });
		expect(textOf(response)).toBe("Echo: hello");
	});

	test("that the server refuses is answered with the server's own error", async () => {
		const refusing = fixture("initialize-error");
		const options = { lifetime, ...quiet };
		expect(await runStdioRequest(refusing, initialize("2025-06-18", "me"), options)).toEqual({
			jsonrpc: "2.0",
			id: "me",
			error: {
				code: -32602,
				message: "Unsupported protocol version",
				data: { supported: ["2024-11-05"], requested: "2025-06-18" },
			},
		});
		const response = await runStdioRequest(refusing, echo, options);
		expect(failureOf(response)).toMatchObject({ code: "HANDSHAKE_FAILED", phase: "initialize" });
		expect(errorOf(response).message).toContain("-32602: Unsupported protocol version");
	});

	test.each([
		["exits-on-initialize", "HANDSHAKE_FAILED"],
		["no-version-in-initialize", "HANDSHAKE_FAILED"],
		["never-answers-initialize", "TIMEOUT"],
	])("fails when the server does not manage it: %s", async (name, code) => {
		const response = await runStdioRequest(fixture(name), initialize("2025-11-25", 9), {
			lifetime,
			...quiet,
			timeoutMs: 1000,
		});
		expect(response).toMatchObject({ id: 9, error: { code: -32603, data: { code, phase: "initialize" } } });
	});
});

test("initialize leaves the process that it started for the request that comes next", async () => {
	const told = record();
	const options = { standby: 1, observer: told.observer };
	await runStdioRequest(wellBehaved, initialize("2025-11-25"), options);
	await runStdioRequest(wellBehaved, echo, options);
	expect(told.request[0]).toMatchObject({ source: "standby", pid: told.spawn[0]?.pid });
});

describe.each(lifetimes)("notifications, in the lifetime %s,", (lifetime) => {
	const progressOf = (notifications: JsonRpcNotification[]) =>
		notifications.filter(({ method }) => method === "notifications/progress").map(({ params }) => params);

	test.each(["token", "", "7", 7, 0])("of progress carry the caller's own token: %j", async (progressToken) => {
		const order: unknown[] = [];
		const response = await runStdioRequest(wellBehaved, callTool("progress", { steps: 3 }, { progressToken }), {
			lifetime,
			standby: 0,
			onNotification: (notification) => order.push(notification),
		});
		order.push(response);
		const progress = (value: number) => ({
			jsonrpc: "2.0",
			method: "notifications/progress",
			params: { progressToken, progress: value, total: 3 },
		});
		expect(order).toEqual([progress(1), progress(2), progress(3), response]);
	});

	test("of progress do not come to a request without a token", async () => {
		const notifications: JsonRpcNotification[] = [];
		for (const name of ["sends-progress", "sends-foreign-progress"]) {
			await runStdioRequest(fixture(name), echo, {
				lifetime,
				...quiet,
				onNotification: (notification) => notifications.push(notification),
			});
		}
		expect(notifications).toEqual([]);
	});

	test("of progress for a token that nobody gave reach nobody", async () => {
		const told = record();
		const notifications: JsonRpcNotification[] = [];
		await runStdioRequest(fixture("sends-foreign-progress"), callTool("echo", {}, { progressToken: "mine" }), {
			lifetime,
			standby: 0,
			observer: told.observer,
			onNotification: (notification) => notifications.push(notification),
		});
		expect(notifications).toEqual([]);
		expect(told.noise).toHaveLength(4);
	});

	test("with log messages come in order and before the answer", async () => {
		const order: unknown[] = [];
		const response = await runStdioRequest(fixture("logs-before-answer"), echo, {
			lifetime,
			...quiet,
			onNotification: ({ params }) => order.push(params),
		});
		order.push(textOf(response));
		const log = (data: string) => ({ level: "info", logger: "logs-before-answer", data });
		expect(order).toEqual([log("first"), log("second"), log("third"), "Echo: hello"]);
	});

	test("and the answer keep their order when they come in one piece", async () => {
		const notifications: JsonRpcNotification[] = [];
		await runStdioRequest(fixture("many-in-one-chunk"), callTool("echo", {}, { progressToken: "t" }), {
			lifetime,
			standby: 0,
			onNotification: (notification) => notifications.push(notification),
		});
		const numbers = Array.from({ length: 10 }, (_, index) => index + 1);
		const logs = notifications.filter(({ method }) => method === "notifications/message");
		expect(logs.map(({ params }) => params?.data)).toEqual(numbers);
		expect(progressOf(notifications).map((params) => params?.progress)).toEqual(numbers);
		expect(progressOf(notifications).every((params) => params?.progressToken === "t")).toBe(true);
	});

	test("do not disturb the request when their receiver throws", async () => {
		const response = await runStdioRequest(fixture("logs-before-answer"), echo, {
			lifetime,
			...quiet,
			onNotification: () => {
				throw new Error("The receiver fails");
			},
		});
		expect(textOf(response)).toBe("Echo: hello");
	});
});

test("a notification does not come after the answer", async () => {
	const told = record();
	const received: unknown[] = [];
	const options = {
		lifetime: "environment",
		observer: told.observer,
		onNotification: ({ params }: JsonRpcNotification) => received.push(params?.data),
	} as const;
	await runStdioRequest(fixture("logs-before-answer"), echo, options);
	await until("the late notification has come", () => told.noise.length > 0);
	expect(received).toEqual(["first", "second", "third"]);
});

test("a notification does not come after the request was given up, nor to the one that follows", async () => {
	const talks = inlineFixture(`serve({ tools: { talk: (args, call) => {
		setInterval(() => {
			notify("notifications/progress", { progressToken: call.progressToken, progress: 1 });
			notify("notifications/message", { level: "info", data: "still here" });
		}, 10);
		return never;
	} } });`);
	const told = record();
	const received: [string, string][] = [];
	const options = (who: string) => ({
		lifetime: "environment" as const,
		observer: told.observer,
		onNotification: ({ method }: JsonRpcNotification) => received.push([who, method]),
	});
	const talking = callTool("talk", {}, { progressToken: "mine" });
	expect(failureOf(await runStdioRequest(talks, talking, { ...options("first"), timeoutMs: 400 })).code).toBe(
		"TIMEOUT",
	);
	const heard = received.length;
	expect(heard).toBeGreaterThan(0);
	const sleeping = callTool("sleep", { ms: 100 }, { progressToken: "mine" });
	expect(textOf(await runStdioRequest(talks, sleeping, options("second")))).toBe("Slept 100 ms");
	expect(received.slice(heard)).toEqual([]);
	expect(told.noise.length).toBeGreaterThan(0);
});

describe("a programming error", () => {
	const good = { command: "node" };
	const wrong = (value: unknown) => value as StdioServerParams;

	test.each<[string, unknown, object]>([
		["params must be an object, not null", null, {}],
		["params must be an object", [], {}],
		["params.command is missing", {}, {}],
		["params.command must be", { command: "" }, {}],
		["params.command must be", { command: "a\0b" }, {}],
		["params.args must be", { command: "node", args: [1] }, {}],
		["params.args must be", { command: "node", args: "server.js" }, {}],
		["params.env.A must be a string", { command: "node", env: { A: 1 } }, {}],
		["params.env must be", { command: "node", env: { "A=B": "1" } }, {}],
		["params.cwd must be", { command: "node", cwd: 5 }, {}],
		["params.type must be", { command: "node", type: "http" }, {}],
		["params.name must be", { command: "node", name: "" }, {}],
		["params.inheritEnv must be", { command: "node", inheritEnv: "everything" }, {}],
		["params.inheritEnv must be", { command: "node", inheritEnv: ["NODE_OPTIONS"] }, {}],
		["params.inheritEnv must be", { command: "node", inheritEnv: ["AWS_LAMBDA_RUNTIME_API"] }, {}],
		["params.maxMessageBytes must be", { command: "node", maxMessageBytes: 0 }, {}],
		["params.url is not an option", { command: "node", url: "https://example.com" }, {}],
		["options must be an object", good, []],
		["options.lifetime must be", good, { lifetime: "forever" }],
		["options.standby must be", good, { standby: -1 }],
		["options.standby must be", good, { standby: Number.POSITIVE_INFINITY }],
		["options.maxProcesses must be", good, { maxProcesses: 0 }],
		["options.observer must be", good, { observer: () => {} }],
		["options.timeoutMs must be", good, { timeoutMs: "5s" }],
		["options.timeoutMs must be", good, { timeoutMs: Number.NaN }],
		["options.timeoutMs must be", good, { timeoutMs: -1 }],
		["options.deadline must be", good, { deadline: new Date() }],
		["options.deadline must be", good, { deadline: {} }],
		["options.deadlineReserveMs must be", good, { deadlineReserveMs: -1 }],
		["options.signal must be", good, { signal: new AbortController() }],
		["options.onNotification must be", good, { onNotification: {} }],
		["options.exposeStderr must be", good, { exposeStderr: "yes" }],
		["options.timeout is not an option", good, { timeout: 5 }],
	])("rejects with a TypeError that says: %s (%j, %j)", async (message, params, options) => {
		const rejection = expect(runStdioRequest(wrong(params), echo, options)).rejects;
		await rejection.toThrow(TypeError);
		await expect(runStdioRequest(wrong(params), echo, options)).rejects.toThrow(message);
	});

	test("never shows a value of env or args, which may be secret", async () => {
		for (const params of [
			{ command: "node", env: { PASSWORD: "hunter2", PORT: 1 } },
			{ command: "node", args: ["--password=hunter2", 1] },
		]) {
			const error: Error = await runStdioRequest(wrong(params), echo).then(
				() => expect.unreachable(),
				(cause) => cause,
			);
			expect(error).toBeInstanceOf(TypeError);
			expect(error.message).not.toContain("hunter2");
		}
	});

	test("is not made by an option that is undefined: it means the default", async () => {
		const params = {
			...wellBehaved,
			env: undefined,
			cwd: undefined,
			inheritEnv: undefined,
			maxMessageBytes: undefined,
		};
		const options = { lifetime: undefined, standby: undefined, timeoutMs: undefined, deadline: undefined };
		expect(textOf(await runStdioRequest(params, echo, { ...options, signal: undefined }))).toBe("Echo: hello");
	});
});

test("a complaint about a notification is not taken for the answer of a request", async () => {
	const params = inlineFixture(`serve({
		methods: {
			"notifications/initialized": () => {
				send({ jsonrpc: "2.0", id: null, error: { code: -32601, message: "Method not found" } });
				return never;
			},
			"tools/call": async (...call) => {
				send({ jsonrpc: "2.0", id: null, error: { code: -32601, message: "Method not found" } });
				return callTool(...call);
			},
		},
	});`);
	expect(textOf(await runStdioRequest(params, echo, { standby: 0 }))).toBe("Echo: hello");
});

test.each([
	["an answer to nobody", `{"jsonrpc":"2.0","id":999,"result":DEEP}`],
	["a request", `{"jsonrpc":"2.0","id":DEEP,"method":"ping"}`],
])("%s that is nested deeper than can be written harms nobody", async (_, line) => {
	const deep = line.replace("DEEP", "[".repeat(20_000) + "]".repeat(20_000));
	const params = inlineFixture(`serve({
		methods: {
			"tools/call": (...call) => {
				process.stdout.write(${JSON.stringify(`${deep}\n`)});
				return callTool(...call);
			},
		},
	});`);
	expect(textOf(await runStdioRequest(params, echo, { standby: 0 }))).toBe("Echo: hello");
});
