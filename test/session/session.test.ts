import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { IncomingMessage } from "../../src/child/incoming.ts";
import type { ProcessExit, ServerProcess, ServerProcessHandlers } from "../../src/child/process.ts";
import type { McpStdioError } from "../../src/errors.ts";
import type { SessionSource } from "../../src/observer.ts";
import type { ResolvedServerParams } from "../../src/params.ts";
import { resolveParams } from "../../src/params.ts";
import { initializeWith } from "../../src/session/handshake.ts";
import type { Session } from "../../src/session/session.ts";
import { wasUndelivered } from "../../src/session/waiting.ts";

const spawnServerProcess = vi.hoisted(() => vi.fn());
vi.mock("../../src/child/process.ts", () => ({ spawnServerProcess }));
const { startSession } = await import("../../src/session/session.ts");

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const turn = () => vi.advanceTimersByTimeAsync(0);
const handshakeResult = { protocolVersion: "2025-06-18", capabilities: {}, serverInfo: { name: "it", version: "1" } };

/** A session whose child does nothing by itself. */
async function start(source: SessionSource = "fresh") {
	const written: { readonly id?: number; readonly method?: string }[] = [];
	const ends: unknown[] = [];
	const exited = Promise.withResolvers<ProcessExit>();
	let handlers: ServerProcessHandlers | undefined;
	spawnServerProcess.mockImplementation(
		async (_: ResolvedServerParams, _forOneRequest: boolean, given: ServerProcessHandlers): Promise<ServerProcess> => {
			handlers = given;
			return {
				pid: 4711,
				writer: {
					write: (text, onFailure) => {
						written.push(JSON.parse(text));
						return { text, onFailure, state: "written" };
					},
					withdraw: () => false,
					isBackedUp: () => false,
				},
				end: (reason, urgent) => void ends.push([reason, urgent]),
				stderr: () => ["Error: what it wrote"],
				exited: exited.promise,
				gone: exited.promise.then(() => {}),
			};
		},
	);
	const observer = { spawn: vi.fn(), ready: vi.fn(), exit: vi.fn(), noise: vi.fn(), stderr: vi.fn() };
	const onEnd = vi.fn();
	const session = await startSession({
		params: resolveParams({ command: "node", args: ["it.js"], name: "it" }),
		source,
		handshake: initializeWith("2025-06-18"),
		onOtherVersion: vi.fn(),
		observer: () => observer,
		onEnd,
	});
	const failure = session.ready.then(
		() => undefined,
		(error: McpStdioError) => error,
	);
	const child = handlers as ServerProcessHandlers;
	const answer = (result: unknown = handshakeResult, id = written.at(-1)?.id) => {
		const response = { jsonrpc: "2.0", id, result };
		child.onMessage({ kind: "response", id, response, writable: true, length: 100 } as IncomingMessage);
	};
	const exit = (how: Partial<ProcessExit> = {}) => {
		const report: ProcessExit = { exitCode: 1, signal: null, reason: "exited", ...how };
		child.onExit(report);
		exited.resolve(report);
	};
	const request = (session: Session, signal?: AbortSignal) =>
		session.request({ request: { jsonrpc: "2.0", id: "its", method: "tools/call" }, signal });
	return { session, child, written, ends, answer, exit, failure, observer, onEnd, request };
}

async function startReady(source?: SessionSource) {
	const started = await start(source);
	started.answer();
	await turn();
	return started;
}

describe("the handshake", () => {
	test("makes a session ready, and says that it is initialised", async () => {
		const { session, written, observer } = await startReady();
		expect(await session.ready).toEqual(handshakeResult);
		expect(written.map(({ method }) => method)).toEqual(["initialize", "notifications/initialized"]);
		expect(observer.spawn).toHaveBeenCalledOnce();
		expect(observer.ready).toHaveBeenCalledOnce();
		expect(session.isOpen()).toBe(true);
	});

	test("that is never answered ends the child after two minutes", async () => {
		const { session, failure, ends, onEnd } = await start();
		await vi.advanceTimersByTimeAsync(119_000);
		expect(ends).toEqual([]);
		await vi.advanceTimersByTimeAsync(2000);
		expect(await failure).toMatchObject({ code: "HANDSHAKE_FAILED", data: { phase: "initialize" } });
		expect(ends).toEqual([["handshake", true]]);
		expect(onEnd).toHaveBeenCalledOnce();
		expect(session.isOpen()).toBe(false);
	});

	test("that is over has no limit any more", async () => {
		const { session } = await startReady();
		await vi.advanceTimersByTimeAsync(300_000);
		expect(session.isOpen()).toBe(true);
	});

	test("of a child that exits fails with how, and what it wrote", async () => {
		const { failure, exit } = await start();
		exit({ exitCode: 3 });
		expect(await failure).toMatchObject({
			code: "HANDSHAKE_FAILED",
			message: expect.stringContaining("exited with code 3 before it answered initialize"),
			data: { exitCode: 3, signal: null },
			stderr: ["Error: what it wrote"],
		});
	});

	test("with an answer that is none ends the child", async () => {
		const { answer, failure, ends } = await start();
		answer({ not: "it" });
		expect(await failure).toMatchObject({ code: "HANDSHAKE_FAILED" });
		expect(ends).toEqual([["handshake", true]]);
	});
});

describe("a request", () => {
	test("fails when the child exits", async () => {
		const { session, exit, request } = await startReady();
		const asked = request(session);
		exit({ exitCode: null, signal: "SIGKILL" });
		await expect(asked).rejects.toMatchObject({
			code: "SERVER_EXITED",
			message: expect.stringContaining("was killed by SIGKILL"),
			data: { phase: "request", signal: "SIGKILL" },
		});
	});

	test("to an ended session was never delivered", async () => {
		const { session, exit, request } = await startReady();
		exit();
		const error = await request(session).catch((reason: McpStdioError) => reason);
		expect(error).toMatchObject({ code: "SERVER_EXITED" });
		expect(wasUndelivered(error as McpStdioError)).toBe(true);
	});

	test("fails when the session is ended for another reason", async () => {
		const { session, ends, request, onEnd } = await startReady();
		const asked = request(session);
		session.end("cancelled", true);
		session.end("closed");
		await expect(asked).rejects.toMatchObject({ code: "ABORTED" });
		expect(ends).toEqual([
			["cancelled", true],
			["closed", false],
		]);
		expect(onEnd).toHaveBeenCalledOnce();
	});

	test("fails when the child closes its output, which ends it", async () => {
		const { session, child, ends, request } = await startReady();
		const asked = request(session);
		child.onOutputClosed();
		await expect(asked).rejects.toMatchObject({
			code: "SERVER_EXITED",
			message: expect.stringContaining("closed its output (stdout) but keeps running"),
		});
		expect(ends).toEqual([["output-closed", true]]);
	});
});

describe("a caller that stops waiting", () => {
	const interruption = { code: "TIMEOUT", limitMs: 5 };

	test("is told to a kept child, which has to show that it lives", async () => {
		const { session, written, answer, request } = await startReady("kept");
		const caller = new AbortController();
		const asked = request(session, caller.signal);
		caller.abort(interruption);
		await expect(asked).rejects.toMatchObject({ code: "TIMEOUT" });
		expect(written.slice(-2).map(({ method }) => method)).toEqual(["notifications/cancelled", "ping"]);
		expect(session.isDoubted()).toBe(true);
		answer({});
		await session.trusted();
		expect(session.isDoubted()).toBe(false);
		expect(session.isOpen()).toBe(true);
	});

	test("ends a kept child that shows no life", async () => {
		const { session, ends, request } = await startReady("kept");
		const caller = new AbortController();
		request(session, caller.signal).catch(() => {});
		caller.abort(interruption);
		await vi.advanceTimersByTimeAsync(10_000);
		expect(ends).toEqual([["silent", true]]);
		expect(session.isOpen()).toBe(false);
	});

	test("is nothing to a child of its own, which ends anyway", async () => {
		const { session, written, request } = await startReady("fresh");
		const caller = new AbortController();
		request(session, caller.signal).catch(() => {});
		caller.abort(interruption);
		await turn();
		expect(written.at(-1)?.method).toBe("tools/call");
	});
});

test("an exit is told once, and its reason is why it was ended", async () => {
	const { session, exit, observer } = await startReady();
	session.end("answered");
	exit({ exitCode: 0, reason: "answered" });
	expect(observer.exit).toHaveBeenCalledOnce();
	expect(observer.exit.mock.lastCall?.[0]).toMatchObject({ pid: 4711, reason: "answered", exitCode: 0 });
});

test("what is heard and sent counts as activity", async () => {
	const { session, child, request } = await startReady();
	const before = session.lastActiveAt();
	await vi.advanceTimersByTimeAsync(1000);
	child.onNoise("noise", "text", true);
	const heard = session.lastActiveAt();
	expect(heard).toBeGreaterThanOrEqual(before + 1000);
	await vi.advanceTimersByTimeAsync(1000);
	request(session).catch(() => {});
	expect(session.lastActiveAt()).toBeGreaterThanOrEqual(heard + 1000);
});
