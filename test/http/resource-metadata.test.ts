import { describe, expect, test } from "vitest";
import { answered, type Given, statusOf } from "./requests.ts";

const resourceMetadata = { authorizationServers: ["https://auth.example.com"], scopes: ["mcp:tools"] };
const wellKnown = "/.well-known/oauth-protected-resource";
const get = (path: string, more: Given = {}): Given => ({ ...more, method: "GET", path });

describe("the metadata of the protected resource", () => {
	test("is served at both well-known paths, readable by any page", () => {
		const { status, headers, body } = answered(get(`${wellKnown}/mcp`), { resourceMetadata });
		expect(status).toBe(200);
		expect(headers).toMatchObject({ "content-type": "application/json", "Access-Control-Allow-Origin": "*" });
		expect(body).toEqual({
			resource: "https://abc.lambda-url.eu-west-1.on.aws/mcp",
			authorization_servers: ["https://auth.example.com"],
			scopes_supported: ["mcp:tools"],
			bearer_methods_supported: ["header"],
		});
		expect(answered(get(wellKnown), { resourceMetadata }).body).toMatchObject({
			resource: "https://abc.lambda-url.eu-west-1.on.aws",
		});
	});

	test.each([
		[get(wellKnown, { basePath: "/prod" }), { path: "/mcp" }, "/prod/mcp"],
		[get(`${wellKnown}/mcp`, { basePath: "/prod" }), {}, "/prod/mcp"],
		[get(`${wellKnown}/prod/mcp`, { basePath: "/prod" }), { path: "/mcp" }, "/prod/mcp"],
		[get(wellKnown), { path: "/mcp" }, "/mcp"],
	])("%o names the endpoint with its stage", (given, options, path) => {
		expect(answered(given, { ...options, resourceMetadata }).body).toMatchObject({
			resource: `https://abc.lambda-url.eu-west-1.on.aws${path}`,
		});
	});

	test("names what the deployer set, and never what a header says", () => {
		const resource = "https://mcp.example.com/mcp";
		expect(answered(get(wellKnown), { resourceMetadata: { ...resourceMetadata, resource } }).body).toMatchObject({
			resource,
		});
		const headers = { host: "evil.example.com", "x-forwarded-host": "evil.example.com" };
		expect(JSON.stringify(answered(get(wellKnown, { headers }), { resourceMetadata }))).not.toContain("evil");
		const unknown = answered(get(wellKnown, { headers, ownOrigin: undefined }), { resourceMetadata });
		expect(unknown).toMatchObject({
			status: 500,
			body: { error: { message: expect.stringContaining("resourceMetadata.resource") } },
		});
	});

	test("answers a preflight, and no other method", () => {
		const preflight: Given = { method: "OPTIONS", path: wellKnown, headers: { origin: "https://any.example.com" } };
		expect(answered(preflight, { resourceMetadata })).toMatchObject({
			status: 204,
			headers: { "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*" },
			body: "",
		});
		expect(statusOf({ method: "POST", path: wellKnown }, { resourceMetadata })).toBe(405);
		expect(answered({ method: "HEAD", path: wellKnown }, { resourceMetadata })).toMatchObject({
			status: 200,
			body: "",
		});
	});

	test.each([
		[get(wellKnown), {}],
		[get(`${wellKnown}/other`), { path: "/mcp", resourceMetadata }],
		[get("/.well-known/openid-configuration"), { resourceMetadata }],
		[get(`${wellKnown}x`), { resourceMetadata }],
	])("%o is not found", (given, options) => {
		expect(statusOf(given, options)).toBe(404);
	});
});
