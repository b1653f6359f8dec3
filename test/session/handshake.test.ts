import { describe, expect, test } from "vitest";
import type { JsonRpcResponse } from "../../src/jsonrpc.ts";
import { initializeWith, supportedVersion } from "../../src/session/handshake.ts";

const result = (protocolVersion: unknown) => ({
	protocolVersion,
	capabilities: {},
	serverInfo: { name: "a", version: "1" },
});

/** Shakes hands with a server that answers each version so. */
async function shakeHands(version: string, answer: (asked: string) => object) {
	const asked: string[] = [];
	const told: string[] = [];
	const channel = {
		request: async (_: string, params: Readonly<Record<string, unknown>>) => {
			asked.push(params.protocolVersion as string);
			return { jsonrpc: "2.0", id: 1, ...answer(params.protocolVersion as string) } as JsonRpcResponse;
		},
		notify: (method: string) => void told.push(method),
		insteadAsk: (other: string) => void told.push(`ask ${other}`),
		refused: (error: unknown) => new Error(`refused ${JSON.stringify(error)}`),
		failed: (what: string) => new Error(what),
	};
	const outcome = await initializeWith(version)(channel).catch((error: Error) => error.message);
	return { asked, told, outcome };
}

const only = (supported: string, error: object) => (asked: string) =>
	asked === supported ? { result: result(supported) } : { error };

describe("initialize", () => {
	test("is asked once of a server that answers", async () => {
		expect(await shakeHands("2025-11-25", () => ({ result: result("2024-11-05") }))).toEqual({
			asked: ["2025-11-25"],
			told: ["notifications/initialized"],
			outcome: result("2024-11-05"),
		});
	});

	test.each([
		[
			"in data.supported",
			{ code: -32602, message: "Unsupported protocol version", data: { supported: ["2024-11-05"] } },
		],
		["in its message", { code: -32602, message: "Unsupported version: 2025-11-25, supported: 2024-11-05" }],
		["in data.supportedVersions", { code: -32000, message: "no", data: { supportedVersions: ["2024-11-05", "x"] } }],
		["as one text", { code: -32000, message: "no", data: { supported: "2024-11-05" } }],
	])("is asked for the version that a refusal names %s", async (_, error) => {
		expect(await shakeHands("2025-11-25", only("2024-11-05", error))).toEqual({
			asked: ["2025-11-25", "2024-11-05"],
			told: ["ask 2024-11-05", "notifications/initialized"],
			outcome: result("2024-11-05"),
		});
	});

	test("is asked for each version in turn where a refusal names none", async () => {
		const { asked, outcome } = await shakeHands(
			"2025-11-25",
			only("2025-03-26", { code: -32602, message: "Bad protocolVersion" }),
		);
		expect(asked).toEqual(["2025-11-25", "2025-06-18", "2025-03-26"]);
		expect(outcome).toEqual(result("2025-03-26"));
	});

	test("that is refused always fails with the first refusal", async () => {
		const { asked, outcome } = await shakeHands("2025-11-25", (version) => ({
			error: { code: 1, message: `version ${version}` },
		}));
		expect(asked).toHaveLength(4);
		expect(outcome).toBe('refused {"code":1,"message":"version 2025-11-25"}');
	});

	test("that is refused for another reason is not asked again", async () => {
		const { asked } = await shakeHands("2025-11-25", () => ({ error: { code: -32603, message: "No API key" } }));
		expect(asked).toEqual(["2025-11-25"]);
	});

	test.each([[{ result: {} }], [{ result: result(7) }], [{ result: [] }]])(
		"that is answered with %j fails",
		async (answer) => {
			expect((await shakeHands("2025-11-25", () => answer)).outcome).toContain("is it an MCP server?");
		},
	);
});

test.each([undefined, null, "no", {}, { message: 7 }, { message: "no" }])("%j names no version", (error) => {
	expect(supportedVersion(error, new Set())).toBeUndefined();
});
