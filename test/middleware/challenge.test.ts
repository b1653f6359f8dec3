import { expect, test } from "vitest";
import { bearerChallenge } from "../../middleware/index.ts";
import {
	functionUrlEvent,
	httpApiEvent,
	latticeEvent,
	loadBalancerEvent,
	restApiEvent,
} from "../events/http-events.ts";

type Result = { readonly statusCode: number; readonly headers?: Record<string, string>; readonly body: string };

test.each([
	[
		"a Function URL",
		functionUrlEvent(),
		"https://abc123.lambda-url.eu-west-1.on.aws/.well-known/oauth-protected-resource/mcp",
	],
	[
		"an HTTP API with a stage",
		httpApiEvent({}, "live"),
		"https://api1.execute-api.eu-west-1.amazonaws.com/live/.well-known/oauth-protected-resource/mcp",
	],
	[
		"a REST API",
		restApiEvent(),
		"https://api1.execute-api.eu-west-1.amazonaws.com/prod/.well-known/oauth-protected-resource/mcp",
	],
])("behind %s a request without a token is pointed to the metadata", (_, event, url) => {
	const result = bearerChallenge(event) as Result;
	expect(result).toMatchObject({
		statusCode: 401,
		headers: { "www-authenticate": `Bearer resource_metadata="${url}"`, "content-type": "application/json" },
	});
	expect(JSON.parse(result.body)).toMatchObject({ jsonrpc: "2.0", id: null, error: { message: /token/ } });
});

test("a front that does not know its origin is believed nothing", () => {
	const headers = { Host: "evil.example", "X-Forwarded-Host": "evil.example" };
	const challenge = (event: unknown) => JSON.stringify(bearerChallenge(event));
	for (const event of [
		loadBalancerEvent({ headers }),
		loadBalancerEvent({ headers }, true),
		latticeEvent({ headers }),
	]) {
		expect(challenge(event)).not.toContain("evil");
		expect(challenge(event)).not.toContain("resource_metadata");
	}
	const resourceMetadata = "https://mcp.example/.well-known/oauth-protected-resource";
	const given = bearerChallenge(loadBalancerEvent(), { resourceMetadata }) as Result;
	expect(given.headers?.["www-authenticate"]).toBe(`Bearer resource_metadata="${resourceMetadata}"`);
});

test("a token that lacks a scope is 403, and the scopes are named", () => {
	const result = bearerChallenge(functionUrlEvent(), {
		error: "insufficient_scope",
		scopes: ["read", "write"],
	}) as Result;
	expect(result.statusCode).toBe(403);
	expect(result.headers?.["www-authenticate"]).toMatch(/, error="insufficient_scope", scope="read write"$/);
	const invalid = bearerChallenge(functionUrlEvent(), { error: "invalid_token" }) as Result;
	expect([invalid.statusCode, invalid.headers?.["www-authenticate"]]).toEqual([
		401,
		expect.stringContaining('error="invalid_token"'),
	]);
});

test("nothing of a path or a scope breaks out of its quotes", () => {
	const event = functionUrlEvent({ path: '/a"b\\c' });
	const { headers } = bearerChallenge(event, { scopes: ['x", error="none\r\nSet-Cookie: a'] }) as Result;
	const value = headers?.["www-authenticate"] ?? "";
	expect(value).not.toMatch(/[\r\n\\]/);
	expect(value.match(/"/g)).toHaveLength(4);
});

test.each([
	[{ jsonrpc: "2.0", id: 1, method: "ping" }, {}, "this event is none"],
	[functionUrlEvent(), { error: "no" }, "options.error must be"],
	[functionUrlEvent(), { scopes: "read" }, "options.scopes must be an array of strings"],
	[functionUrlEvent(), { resourceMetadata: "/relative" }, "options.resourceMetadata must be a URL"],
])("what cannot be answered is a TypeError", (event, options, message) => {
	expect(() => bearerChallenge(event, options as never)).toThrow(message);
	expect(() => bearerChallenge(event, options as never)).toThrow(TypeError);
});
