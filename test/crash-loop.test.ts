import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { prewarmStdioServer, runStdioRequest } from "../src/index.ts";
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
	lifetimes,
	textOf,
} from "./support/servers.ts";

leaveNothingBehind();

const folder = mkdtempSync(join(tmpdir(), "crash-loop-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(lifetimes)("in the lifetime %s", (lifetime) => {
	test("a server that dies at start is not started for each of many requests in a row", async () => {
		const told = record();
		const params = fixture("exits-at-once");
		const failures = [];
		for (let id = 0; id < 20; id++) {
			const response = await runStdioRequest(params, { ...echo, id }, { lifetime, observer: told.observer });
			expect(response).toMatchObject({ id, error: { code: -32603, data: { exitCode: 1, phase: "initialize" } } });
			failures.push(errorOf(response));
		}
		const codes = failures.map(({ data }) => data.code);
		expect(codes.slice(0, 3)).toEqual(["HANDSHAKE_FAILED", "HANDSHAKE_FAILED", "HANDSHAKE_FAILED"]);
		expect(codes.slice(-5)).toEqual(Array(5).fill("CRASH_LOOP"));
		expect(told.spawn.length).toBeLessThanOrEqual(6);

		const last = failures.at(-1);
		expect(last?.data.retryAfterMs).toBeGreaterThan(0);
		expect(last?.message).toMatch(/failed \d+ times in a row at start \(exit code 1\); it is tried again in \d+ ms/);
		expect(told.failure.at(-1)?.error.message).toContain("Exits at once");
		expect(told.failure.at(-1)?.error.stderr).toEqual(["Exits at once"]);
	});

	test("a server that dies at start is not started for each of many requests at once", async () => {
		const told = record();
		const options = { lifetime, maxProcesses: 4, observer: told.observer };
		const responses = await Promise.all(
			Array.from({ length: 40 }, (_, id) => runStdioRequest(fixture("exits-at-once"), { ...echo, id }, options)),
		);
		for (const response of responses) {
			expect(["HANDSHAKE_FAILED", "CRASH_LOOP"]).toContain(failureOf(response).code);
		}
		expect(told.spawn.length).toBeLessThanOrEqual(16);
	});

	test.each([
		["exits-on-initialize", 7],
		["no-version-in-initialize", undefined],
		["initialize-error", undefined],
	])("a server that fails its handshake is in a crash loop too: %s", async (name, exitCode) => {
		const told = record();
		const codes = [];
		for (let round = 0; round < 6; round++) {
			const response = await runStdioRequest(fixture(name), echo, { lifetime, standby: 0, observer: told.observer });
			codes.push(failureOf(response).code);
			if (exitCode !== undefined) expect(failureOf(response).exitCode).toBe(exitCode);
		}
		expect(codes.at(-1)).toBe("CRASH_LOOP");
		expect(told.spawn.length).toBeLessThan(6);
	});

	test("a server recovers by itself once it can start", async () => {
		const flag = join(folder, lifetime);
		const told = record();
		const options = { lifetime, observer: told.observer };
		const params = fixture("exits-until-flag", flag);
		const ask = async () => await runStdioRequest(params, echo, options);
		let response = await ask();
		while (failureOf(response).code !== "CRASH_LOOP") response = await ask();
		writeFileSync(flag, "");
		const deadline = performance.now() + 15_000;
		while (response && "error" in response && performance.now() < deadline) {
			await new Promise((resolve) => setTimeout(resolve, Number(failureOf(response).retryAfterMs ?? 10)));
			response = await ask();
		}
		expect(textOf(response)).toBe("Echo: hello");

		const spawnedBefore = told.spawn.length;
		for (let round = 0; round < 3; round++) expect(textOf(await ask())).toBe("Echo: hello");
		expect(told.spawn.length - spawnedBefore).toBeLessThanOrEqual(5);
	});

	test("a request that ends its server time and again does not keep it from being started", async () => {
		const options = { lifetime, standby: 0, observer: {} };
		for (let round = 0; round < 6; round++) {
			const response = await runStdioRequest(fixture("well-behaved"), callTool("exit", { code: 1 }), options);
			expect(failureOf(response).code).toBe("SERVER_EXITED");
		}
		expect(textOf(await runStdioRequest(fixture("well-behaved"), echo, options))).toBe("Echo: hello");
	});

	test("a deadline that passes during a pause is kept", async () => {
		const options = { lifetime, standby: 0, observer: {} };
		const params = fixture("exits-at-once");
		for (let round = 0; round < 2; round++) await runStdioRequest(params, echo, options);
		const response = await runStdioRequest(params, echo, { ...options, timeoutMs: 50 });
		expect(failureOf(response)).toMatchObject({ code: "TIMEOUT", phase: "initialize" });
	});

	test("initialize and prewarming are told of a crash loop as well", async () => {
		const options = { lifetime, standby: 1, observer: {} };
		const params = fixture("exits-at-once");
		for (let round = 0; round < 4; round++) await runStdioRequest(params, echo, options);
		expect(failureOf(await runStdioRequest(params, initialize("2025-11-25"), options)).code).toBe("CRASH_LOOP");
		expect((await prewarmStdioServer(params, { ...options, lifetime: "environment" }))?.code).toBe("CRASH_LOOP");
	});
});

test("a caller whose versions are refused keeps nobody else from being served", async () => {
	const params = inlineFixture(`serve({
		methods: {
			initialize: (params) => {
				if (params.protocolVersion !== "2025-11-25") throw new ProtocolError(-32602, "Unsupported protocol version");
				return initialize(params);
			},
		},
	});`);
	const options = { standby: 0, observer: silent };
	for (const version of ["a", "b", "c", "d"]) {
		const refused = await runStdioRequest(params, initialize(version), options);
		expect(errorOf(refused)).toMatchObject({ code: -32602, message: "Unsupported protocol version" });
	}
	expect(textOf(await runStdioRequest(params, echo, options))).toBe("Echo: hello");
});

test("a kept process that died at start while nobody waited does not fail a later request", async () => {
	const flag = join(folder, "unattended");
	const params = inlineFixture(`
		import { existsSync } from "node:fs";
		if (!existsSync(${JSON.stringify(flag)})) setTimeout(() => process.exit(3), 400);
		else serve();
	`);
	const told = record();
	const options = { lifetime: "environment", observer: told.observer } as const;
	expect(failureOf(await runStdioRequest(params, echo, { ...options, timeoutMs: 100 })).code).toBe("TIMEOUT");
	await until("it has died", () => told.exit.length === 1);
	writeFileSync(flag, "");
	expect(textOf(await runStdioRequest(params, echo, options))).toBe("Echo: hello");
});
