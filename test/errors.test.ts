import { describe, expect, test } from "vitest";
import { McpStdioError, type McpStdioErrorCode } from "../src/errors.ts";

const jsonRpcCodes: Record<McpStdioErrorCode, number> = {
	INVALID_JSON: -32700,
	INVALID_MESSAGE: -32600,
	SPAWN_FAILED: -32603,
	HANDSHAKE_FAILED: -32603,
	SERVER_EXITED: -32603,
	INVALID_ANSWER: -32603,
	TIMEOUT: -32603,
	ABORTED: -32603,
	MESSAGE_TOO_LARGE: -32603,
	CRASH_LOOP: -32603,
	BUSY: -32603,
	PARAMS_FAILED: -32603,
	INTERNAL_ERROR: -32603,
};

const stderr = ["starting", "Error: token sk-1 was refused", "", "   "];
const data = { phase: "request", exitCode: 1, signal: null } as const;

describe("McpStdioError", () => {
	test.each(Object.entries(jsonRpcCodes) as [McpStdioErrorCode, number][])(
		"%s is the JSON-RPC error %d, with its string code in data",
		(code, jsonRpcCode) => {
			expect(new McpStdioError(code, "It failed").toResponse(7)).toStrictEqual({
				jsonrpc: "2.0",
				id: 7,
				error: { code: jsonRpcCode, message: "It failed", data: { code } },
			});
		},
	);

	test.each([[0], [""], ["a"], [null]])("answers the id %j", (id) => {
		expect(new McpStdioError("TIMEOUT", "It failed").toResponse(id).id).toBe(id);
	});

	test("is an Error with a name, a code, its facts and the server's stderr", () => {
		const error = new McpStdioError("SERVER_EXITED", "It ended", { data, stderr });
		expect(error).toBeInstanceOf(Error);
		expect(error).toMatchObject({ name: "McpStdioError", code: "SERVER_EXITED", data, stderr });
		expect(error.stack).toContain("McpStdioError: It ended");
	});

	test("ends its message with the server's last line on stderr that is not blank", () => {
		expect(new McpStdioError("SERVER_EXITED", "It ended", { stderr }).message).toBe(
			"It ended (last line on stderr: Error: token sk-1 was refused)",
		);
	});

	test.each<[string, readonly string[] | undefined]>([
		["none", undefined],
		["an empty", []],
		["a blank", ["", " \t"]],
	])("has only its summary for a message with %s stderr", (_, lines) => {
		expect(new McpStdioError("SERVER_EXITED", "It ended", { stderr: lines }).message).toBe("It ended");
	});

	test("shows a caller nothing of stderr unless asked to", () => {
		const response = new McpStdioError("SERVER_EXITED", "It ended", { data, stderr }).toResponse(1);
		expect(response.error).toStrictEqual({
			code: -32603,
			message: "It ended",
			data: { code: "SERVER_EXITED", ...data },
		});
		expect(JSON.stringify(response)).not.toMatch(/stderr|sk-1/);
	});

	test("shows a caller the lines of stderr and the last of them in the message when asked to", () => {
		const error = new McpStdioError("SERVER_EXITED", "It ended", { data, stderr });
		expect(error.toResponse(1, true).error).toStrictEqual({
			code: -32603,
			message: error.message,
			data: { code: "SERVER_EXITED", ...data, stderr },
		});
	});

	test("keeps its cause away from the caller", () => {
		const cause = new Error("connect to db://user:password@host failed");
		const error = new McpStdioError("SPAWN_FAILED", "It failed", { cause });
		expect(error.cause).toBe(cause);
		expect(JSON.stringify(error.toResponse(1, true))).not.toContain("password");
	});

	test("has no cause at all when it is given none", () => {
		expect(Object.hasOwn(new McpStdioError("TIMEOUT", "It failed"), "cause")).toBe(false);
		expect(Object.hasOwn(new McpStdioError("TIMEOUT", "It failed").with({}), "cause")).toBe(false);
	});

	test("with() gives the same failure with more facts and leaves the first as it was", () => {
		const cause = new Error("why");
		const first = new McpStdioError("SERVER_EXITED", "It ended", { data, stderr, cause });
		const second = first.with({ attempts: 2, exitCode: 5 });
		expect(second).not.toBe(first);
		expect(second).toMatchObject({ code: first.code, message: first.message, stderr });
		expect(second.cause).toBe(cause);
		expect(second.data).toStrictEqual({ ...data, exitCode: 5, attempts: 2 });
		expect(first.data).toStrictEqual(data);
		expect(second.toResponse(1).error.message).toBe("It ended");
	});

	test("with() replaces the cause by another one", () => {
		const [first, second] = [new Error("first"), new Error("second")];
		const error = new McpStdioError("SERVER_EXITED", "It ended", { cause: first });
		expect(error.with({}, second).cause).toBe(second);
		expect(error.cause).toBe(first);
	});
});
