import { describe, expect, test } from "vitest";
import { answered, statusOf } from "./requests.ts";

const own = "https://abc.lambda-url.eu-west-1.on.aws";
const from = (origin: string, headers: Record<string, string> = {}) => ({ headers: { ...headers, origin } });

describe("an Origin", () => {
	test.each([
		own,
		"http://localhost",
		"http://localhost:6274",
		"http://127.0.0.1:3000",
		"http://[::1]:3000",
		"https://localhost",
	])("%s passes without configuration", (origin) => {
		expect(statusOf(from(origin))).toBe(0);
	});

	test("that is missing passes: no web page sent the request", () => {
		expect(statusOf()).toBe(0);
	});

	test.each([
		"https://evil.example.com",
		"null",
		"",
		"http://abc.lambda-url.eu-west-1.on.aws",
		`${own}:8443`,
		`${own}.evil.example.com`,
		`${own}/`,
		`${own}@evil.example.com`,
		"http://localhost.evil.example.com",
		"http://127.0.0.1.nip.io",
		"http://localhost@evil.example.com",
		"file://",
		"chrome-extension://abcdefg",
		"http://localhost, https://evil.example.com",
	])("%s is foreign, and gets 403", (origin) => {
		expect(answered(from(origin))).toMatchObject({
			status: 403,
			body: { jsonrpc: "2.0", id: null, error: { code: -32000, message: expect.stringContaining("allowedOrigins") } },
		});
	});

	test("that is foreign is so also when Host says the same", () => {
		expect(statusOf(from("https://evil.example.com", { host: "evil.example.com" }))).toBe(403);
		expect(statusOf({ ...from("http://evil.example.com", { host: "evil.example.com" }), ownOrigin: undefined })).toBe(
			403,
		);
	});

	test("that is listed passes", () => {
		const options = { allowedOrigins: ["https://app.example.com"] };
		expect(statusOf(from("https://app.example.com"), options)).toBe(0);
		expect(statusOf(from("https://app.example.com:444"), options)).toBe(403);
	});

	test("of a host that is listed passes when the request is addressed to it", () => {
		const options = { allowedHosts: ["mcp.example.com"] };
		const given = (origin: string) => ({ ...from(origin, { host: "mcp.example.com" }), ownOrigin: undefined });
		expect(statusOf(given("https://mcp.example.com"), options)).toBe(0);
		expect(statusOf(given("https://other.example.com"), options)).toBe(403);
	});
});

describe("allowedHosts", () => {
	const options = { allowedHosts: ["mcp.example.com", "localhost:3000"] };

	test.each([
		["mcp.example.com", 0],
		["MCP.example.com:443", 0],
		["localhost:3000", 0],
		["localhost:3001", 403],
		["evil.example.com", 403],
		["mcp.example.com.evil.example.com", 403],
		["", 403],
	])("lets the host %s have %i", (host, status) => {
		expect(statusOf({ headers: { host } }, options)).toBe(status);
	});

	test("refuses a request without a host", () => {
		expect(statusOf({ headers: { host: undefined } }, options)).toBe(403);
	});
});
