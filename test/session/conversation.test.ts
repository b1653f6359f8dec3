import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { IncomingMessage } from "../../src/child/incoming.ts";
import type { PendingWrite } from "../../src/child/writer.ts";
import { McpStdioError } from "../../src/errors.ts";
import { type ConversationRequest, createConversation } from "../../src/session/conversation.ts";
import { wasUndelivered } from "../../src/session/waiting.ts";

type Sent = { readonly id?: number; readonly method?: string; readonly params?: Record<string, unknown> };

/** A conversation whose server writes when the test says so. */
function create({ isBackedUp = false, writes = "written" as PendingWrite["state"] } = {}) {
	const pending: PendingWrite[] = [];
	const options = {
		writer: {
			write: (text: string, onFailure?: () => void) => {
				const write: PendingWrite = { text, onFailure, state: writes };
				pending.push(write);
				return write;
			},
			withdraw: (write: PendingWrite) => {
				if (write.state !== "queued") return false;
				write.state = "withdrawn";
				return true;
			},
			isBackedUp: () => isBackedUp,
		},
		maxMessageBytes: 100,
		failure: vi.fn((code, what) => new McpStdioError(code, what)),
		onNoise: vi.fn(),
		onUseful: vi.fn(),
		onServerRequest: vi.fn(() => ({ error: { code: -32601, message: "Method not found" } })),
		onInterrupted: vi.fn(),
		onBrokenPipe: vi.fn(),
		onUnusable: vi.fn(),
	};
	const conversation = createConversation(options);
	const sent = (): Sent[] => pending.map(({ text }) => JSON.parse(text));
	const ask = (id: number | string = "its", more: Partial<ConversationRequest> = {}) =>
		conversation.request({ request: { jsonrpc: "2.0", id, method: "tools/call" }, ...more });
	const receive = (message: Record<string, unknown>, more: Partial<IncomingMessage> = {}) => {
		const { id = null } = message;
		conversation.receive({ kind: "response", id, response: message, writable: true, length: 100, ...more } as never);
	};
	return { ...options, conversation, pending, sent, ask, receive };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a request", () => {
	test("is sent with an id of its own, and answered with its caller's", async () => {
		const { sent, ask, receive, onUseful } = create();
		const [first, second] = [ask("one"), ask("two")];
		const ids = sent().map(({ id }) => id);
		expect(new Set(ids).size).toBe(2);
		receive({ id: ids[1], result: { of: "two" } });
		receive({ id: String(ids[0]), result: { of: "one" } });
		expect(await first).toEqual({ jsonrpc: "2.0", id: "one", result: { of: "one" } });
		expect(await second).toEqual({ jsonrpc: "2.0", id: "two", result: { of: "two" } });
		expect(onUseful.mock.calls).toEqual([["answer"], ["answer"]]);
	});

	test("that cannot be written as JSON is refused and not sent", async () => {
		const { conversation, pending } = create();
		const params = { count: 1n } as never;
		const asked = conversation.request({ request: { jsonrpc: "2.0", id: 1, method: "tools/call", params } });
		await expect(asked).rejects.toMatchObject({ code: "INVALID_JSON" });
		expect(pending).toEqual([]);
		expect(conversation.waiting()).toEqual([]);
	});

	test("has a progress token of its own, and its caller hears of its own token", () => {
		const { conversation, sent } = create();
		const onNotification = vi.fn();
		const params = { _meta: { progressToken: "its token", other: 1 } };
		void conversation.request({ request: { jsonrpc: "2.0", id: 1, method: "tools/call", params }, onNotification });
		const { id, params: sentParams } = sent()[0] as Sent;
		expect(sentParams).toEqual({ _meta: { progressToken: id, other: 1 } });
		const notification = {
			jsonrpc: "2.0",
			method: "notifications/progress",
			params: { progressToken: id, progress: 1 },
		};
		conversation.receive({ kind: "notification", notification } as never);
		expect(onNotification).toHaveBeenCalledWith({
			...notification,
			params: { progressToken: "its token", progress: 1 },
		});
	});

	test.each([
		[{ id: 1 }, "neither a result nor an error"],
		[{ id: 1, error: "text" }, "an error that is no object"],
	])("answered with %j fails", async (answer, problem) => {
		const { ask, receive } = create();
		const asked = ask();
		receive(answer);
		await expect(asked).rejects.toMatchObject({ code: "INVALID_ANSWER", message: expect.stringContaining(problem) });
	});

	test("whose answer could not be written again fails", async () => {
		const { ask, receive } = create();
		const asked = ask();
		receive({ id: 1, result: {} }, { writable: false } as never);
		await expect(asked).rejects.toMatchObject({ code: "INVALID_ANSWER" });
	});

	test("is answered once: a second answer is noise", async () => {
		const { ask, receive, onNoise } = create();
		const asked = ask();
		receive({ id: 1, result: 1 });
		receive({ id: 1, result: 2 });
		receive({ id: 99, result: 3 });
		expect(await asked).toMatchObject({ result: 1 });
		expect(onNoise.mock.calls.map(([problem]) => problem)).toEqual([
			"a late or second answer",
			"an answer to a request that was never made",
		]);
	});
});

describe("a caller that stops waiting", () => {
	const timeout = { code: "TIMEOUT", limitMs: 7 };

	test("gets a timeout, and the session is told that the server may have read the request", async () => {
		const { ask, onInterrupted, conversation } = create();
		const caller = new AbortController();
		const asked = ask(1, { signal: caller.signal });
		caller.abort(timeout);
		await expect(asked).rejects.toMatchObject({ code: "TIMEOUT", message: expect.stringContaining("within 7 ms") });
		expect(onInterrupted).toHaveBeenCalledExactlyOnceWith(1, true);
		expect(conversation.waiting()).toEqual([]);
	});

	test("takes back what was not written", async () => {
		const { ask, onInterrupted, pending } = create({ writes: "queued" });
		const caller = new AbortController();
		const asked = ask(1, { signal: caller.signal });
		caller.abort(timeout);
		await expect(asked).rejects.toMatchObject({ code: "TIMEOUT" });
		expect(onInterrupted).toHaveBeenCalledExactlyOnceWith(1, false);
		expect(pending[0]?.state).toBe("withdrawn");
	});

	test("before it began has nothing sent", async () => {
		const { ask, pending } = create();
		await expect(ask(1, { signal: AbortSignal.abort(timeout) })).rejects.toMatchObject({ code: "TIMEOUT" });
		expect(pending).toEqual([]);
	});

	test("after the answer changes nothing", async () => {
		const { ask, receive, onInterrupted } = create();
		const caller = new AbortController();
		const asked = ask(1, { signal: caller.signal });
		receive({ id: 1, result: {} });
		caller.abort(timeout);
		expect(await asked).toMatchObject({ result: {} });
		expect(onInterrupted).not.toHaveBeenCalled();
	});
});

describe("an error without an id", () => {
	test("is the only request's", async () => {
		const { ask, receive } = create();
		const asked = ask();
		receive({ id: null, error: { code: -32700, message: "Parse error" } });
		expect(await asked).toMatchObject({ id: "its", error: { code: -32700 } });
	});

	test("is nobody's where there are several", () => {
		const { ask, receive, onNoise, conversation } = create();
		void ask(1);
		void ask(2);
		receive({ id: null, error: { code: -32700, message: "Parse error" } });
		expect(onNoise).toHaveBeenCalledOnce();
		expect(conversation.waiting()).toHaveLength(2);
	});

	test("that complains about a notification is noise, once for each", async () => {
		const { ask, receive, onNoise, conversation } = create();
		conversation.notify("notifications/initialized");
		const asked = ask();
		const complaint = { id: null, error: { code: -32601, message: "Method not found" } };
		receive(complaint);
		expect(onNoise).toHaveBeenCalledExactlyOnceWith("a complaint about a notification", expect.any(String));
		await vi.advanceTimersByTimeAsync(1000);
		expect(conversation.waiting()).toHaveLength(1);
		receive(complaint);
		await vi.advanceTimersByTimeAsync(1000);
		expect(await asked).toMatchObject({ error: { code: -32601 } });
	});
});

describe("what cannot be read", () => {
	test("fails the request that it answers", async () => {
		const { ask, conversation } = create();
		const asked = ask();
		conversation.receiveUnreadable(1, '{"id":1,"result":');
		await expect(asked).rejects.toMatchObject({ code: "INVALID_ANSWER" });
	});

	test.each([
		["that names its request", 1],
		["that names none, while there is one", undefined],
	])("is over the cap %s: it fails at once", async (_, named) => {
		const { ask, conversation, onUnusable } = create();
		const asked = ask();
		conversation.receiveOverlong(named, false, "{");
		await expect(asked).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE" });
		conversation.receiveOverlong(named, true, "{");
		expect(onUnusable).not.toHaveBeenCalled();
	});

	test("is over the cap and answers one of several: the session is unusable", () => {
		const { ask, conversation, onUnusable } = create();
		void ask(1);
		void ask(2);
		conversation.receiveOverlong(undefined, false, "{");
		expect(onUnusable).not.toHaveBeenCalled();
		conversation.receiveOverlong(undefined, true, "{");
		expect(onUnusable).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "MESSAGE_TOO_LARGE" }));
	});
});

describe("the server's own requests", () => {
	test("are answered under their id", () => {
		const { conversation, sent, onServerRequest } = create();
		const request = { kind: "request", id: "server's", method: "roots/list", params: { a: 1 } } as const;
		conversation.receive(request);
		expect(onServerRequest).toHaveBeenCalledExactlyOnceWith(request);
		expect(sent()).toEqual([{ jsonrpc: "2.0", id: "server's", error: { code: -32601, message: "Method not found" } }]);
	});

	test("are noise where the server does not read", () => {
		const { conversation, pending, onNoise } = create({ isBackedUp: true });
		conversation.receive({ kind: "request", id: 1, method: "roots/list", params: undefined });
		expect(pending).toEqual([]);
		expect(onNoise).toHaveBeenCalledOnce();
	});
});

test("a ping is answered apart from the requests", async () => {
	const { conversation, sent, receive, onUseful, onNoise } = create();
	const ping = conversation.ping();
	const answered = vi.fn();
	ping.answered.then(answered);
	receive({ id: sent()[0]?.id, result: {} });
	await vi.advanceTimersByTimeAsync(0);
	expect(answered).toHaveBeenCalledOnce();
	expect(onUseful).not.toHaveBeenCalled();
	const forgotten = conversation.ping();
	forgotten.forget();
	receive({ id: sent()[1]?.id, result: {} });
	expect(onNoise).toHaveBeenCalledOnce();
});

test.each([
	["queued", true],
	["failed", true],
	["written", false],
] as const)("when all fail, a request whose write is %s is undelivered: %s", async (state, undelivered) => {
	const { conversation, ask, pending } = create();
	const asked = [ask(1), ask(2)];
	const failures = Promise.allSettled(asked);
	for (const write of pending) write.state = state;
	const error = new McpStdioError("SERVER_EXITED", "exited");
	conversation.failAll(error);
	const reasons = (await failures).map((settled) => (settled as PromiseRejectedResult).reason);
	expect(reasons).toEqual([error, error]);
	expect(new Set(reasons).size).toBe(2);
	expect(reasons.map(wasUndelivered)).toEqual([undelivered, undelivered]);
	expect(conversation.waiting()).toEqual([]);
});
