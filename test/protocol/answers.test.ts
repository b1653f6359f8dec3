import { describe, expect, test, vi } from "vitest";
import { ownAnswer } from "../../src/protocol/answers.ts";

const request = (method: string, params?: Record<string, unknown>) =>
	({ jsonrpc: "2.0", id: "its", method, ...(params && { params }) }) as const;

test.each(["tools/list", "server/discover", "", "constructor", "notifications/initialized"])(
	"%j is forwarded",
	(method) => {
		expect(ownAnswer(method)).toBeUndefined();
	},
);

test("ping is answered without a handshake", async () => {
	const initialize = vi.fn();
	expect(await ownAnswer("ping")?.(request("ping"), initialize)).toStrictEqual({
		jsonrpc: "2.0",
		id: "its",
		result: {},
	});
	expect(initialize).not.toHaveBeenCalled();
});

describe("initialize", () => {
	const answer = (params: Record<string, unknown> | undefined, initialize: () => Promise<never>) =>
		ownAnswer("initialize")?.(request("initialize", params), initialize);

	test.each([
		["the server's result", { result: { protocolVersion: "2025-06-18" } }],
		["the server's refusal", { error: { code: -32602, message: "Unsupported protocol version" } }],
	])("is answered with %s, under the caller's id", async (_, outcome) => {
		const initialize = vi.fn(async () => outcome as never);
		expect(await answer({ protocolVersion: "2025-06-18" }, initialize)).toStrictEqual({
			jsonrpc: "2.0",
			id: "its",
			...outcome,
		});
		expect(initialize).toHaveBeenCalledWith("2025-06-18");
	});

	test.each([undefined, {}, { protocolVersion: 1 }, { protocolVersion: null }])(
		"starts nothing with %j",
		async (params) => {
			const initialize = vi.fn();
			expect(await answer(params, initialize)).toMatchObject({ id: "its", error: { code: -32602 } });
			expect(initialize).not.toHaveBeenCalled();
		},
	);

	test("fails as its handshake does", async () => {
		const failure = new Error("died");
		await expect(answer({ protocolVersion: "2025-06-18" }, () => Promise.reject(failure))).rejects.toBe(failure);
	});
});
