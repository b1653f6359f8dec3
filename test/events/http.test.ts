import { describe, expect, test } from "vitest";
import { readLoadBalancer } from "../../src/events/alb.ts";
import { readApiGatewayV1 } from "../../src/events/api-gateway-v1.ts";
import { readApiGatewayV2 } from "../../src/events/api-gateway-v2.ts";
import type { HttpEvent } from "../../src/events/http-event.ts";
import { readLattice } from "../../src/events/lattice.ts";
import {
	functionUrlEvent,
	httpApiEvent,
	latticeEvent,
	loadBalancerEvent,
	restApiEvent,
	type Sent,
} from "./http-events.ts";

const readers = { readApiGatewayV2, readApiGatewayV1, readLoadBalancer, readLattice };
type Reader = keyof typeof readers;
type Source = {
	readonly name: string;
	readonly reader: Reader;
	readonly make: (sent?: Sent) => Record<string, unknown>;
};

const sources: readonly Source[] = [
	{ name: "a Function URL", reader: "readApiGatewayV2", make: functionUrlEvent },
	{ name: "an HTTP API", reader: "readApiGatewayV2", make: httpApiEvent },
	{ name: "an HTTP API with a stage", reader: "readApiGatewayV2", make: (sent) => httpApiEvent(sent, "prod") },
	{ name: "a REST API", reader: "readApiGatewayV1", make: restApiEvent },
	{ name: "a load balancer", reader: "readLoadBalancer", make: loadBalancerEvent },
	{ name: "one with multi-value headers", reader: "readLoadBalancer", make: (sent) => loadBalancerEvent(sent, true) },
	{ name: "VPC Lattice", reader: "readLattice", make: latticeEvent },
];

function read(reader: Reader, event: Record<string, unknown>): HttpEvent {
	const found = readers[reader](event);
	if (!found) throw new Error(`${reader} does not recognise the event`);
	return found;
}

describe.each(sources)("the event of $name", ({ reader, make }) => {
	test("is recognised by its own reader alone", () => {
		const names = Object.entries(readers).filter(([, readEvent]) => readEvent(make()) !== undefined);
		expect(names.map(([name]) => name)).toEqual([reader]);
	});

	test("brings method, path, headers of any case and the body", () => {
		const headers = { "MCP-Protocol-Version": "2025-11-25", "x-PLAIN": "Grüße" };
		const { request } = read(reader, make({ headers, body: '{"a":"ü"}', query: "a=1&b=%20" }));
		expect({ method: request.method, path: request.path, body: request.body }).toEqual({
			method: "POST",
			path: "/mcp",
			body: '{"a":"ü"}',
		});
		expect(request.header("mcp-protocol-version")).toBe("2025-11-25");
		expect(request.header("accept")).toBe("application/json, text/event-stream");
		expect(request.header("x-plain")).toBe("Grüße");
		expect(request.header("origin")).toBeUndefined();
		expect(request.header("constructor")).toBeUndefined();
	});

	test("brings a body in base64 as text, and no text when its bytes are no UTF-8", () => {
		expect(read(reader, make({ body: '{"a":"ü€"}', base64: true })).request.body).toBe('{"a":"ü€"}');
		const broken = { ...make(), body: Buffer.from([0x7b, 0xff, 0x7d]).toString("base64"), isBase64Encoded: true };
		expect(read(reader, broken).request.body).toBeUndefined();
		expect(read(reader, { ...make(), body: null }).request.body).toBe("");
		expect(read(reader, { ...make(), body: undefined }).request.body).toBe("");
	});

	test("brings a GET, with and without a body", () => {
		expect(read(reader, make({ method: "GET", body: "x" })).request).toMatchObject({ method: "GET", body: "x" });
	});

	test("is answered in the source's own form, text as text", () => {
		const { result, prelude, limitBytes } = read(reader, make());
		const answer = { status: 202, headers: { "content-type": "text/event-stream" }, body: "" };
		const values =
			make().multiValueHeaders && reader === "readLoadBalancer"
				? { multiValueHeaders: { "content-type": ["text/event-stream"] } }
				: { headers: answer.headers };
		expect(result(answer)).toEqual({ statusCode: 202, ...values, body: "", isBase64Encoded: false });
		expect(prelude({ status: 200, headers: answer.headers })).toEqual({ statusCode: 200, headers: answer.headers });
		expect(limitBytes).toBe(reader === "readLoadBalancer" ? 1_048_576 : 6_291_556);
	});

	test("survives headers that are missing", () => {
		const { request } = read(reader, { ...make(), headers: null, multiValueHeaders: null, cookies: undefined });
		expect(request.header("accept")).toBeUndefined();
	});
});

const httpApiContext = { path: "/prod/mcp", stage: "prod", domainName: "api1.execute-api.eu-west-1.amazonaws.com" };

describe("stages and base paths", () => {
	test.each<[string, Reader, Record<string, unknown>, string, string]>([
		["an HTTP API's stage", "readApiGatewayV2", httpApiEvent({}, "prod"), "/mcp", "/prod"],
		["its stage with a fixed route", "readApiGatewayV2", httpApiEvent({}, "prod", "POST /mcp"), "/mcp", "/prod"],
		["its stage with the default route", "readApiGatewayV2", httpApiEvent({}, "prod", "$default"), "/mcp", "/prod"],
		[
			"a default stage",
			"readApiGatewayV2",
			httpApiEvent({ path: "/prod/mcp" }, "$default", "$default"),
			"/prod/mcp",
			"",
		],
		[
			"a path like the stage's",
			"readApiGatewayV2",
			httpApiEvent({ path: "/production" }, "prod", "$default"),
			"/production",
			"/prod",
		],
		["a mapping of a custom domain", "readApiGatewayV2", { ...httpApiEvent(), rawPath: "/v1/mcp" }, "/mcp", "/v1"],
		["a REST API's stage", "readApiGatewayV1", restApiEvent(), "/mcp", "/prod"],
		[
			"the stage of an HTTP API that sends 1.0",
			"readApiGatewayV1",
			{
				...restApiEvent({ path: "/prod/mcp" }, ""),
				version: "1.0",
				resource: "$default",
				requestContext: httpApiContext,
			},
			"/mcp",
			"/prod",
		],
		["the root of a stage", "readApiGatewayV1", { ...restApiEvent({ path: "/" }), resource: "/" }, "/", "/prod"],
	])("%s is cut from the path", (_, reader, event, path, basePath) => {
		expect(read(reader, event).request).toMatchObject({ path, basePath });
	});

	test("a REST API's base path of a custom domain is cut as well", () => {
		const event = restApiEvent();
		const requestContext = { ...(event.requestContext as object), path: "/tools/mcp", domainName: "mcp.example.com" };
		const { request } = read("readApiGatewayV1", { ...event, path: "/tools/mcp", requestContext });
		expect(request).toMatchObject({ path: "/mcp", basePath: "/tools", ownOrigin: "https://mcp.example.com" });
	});
});

describe("the own origin", () => {
	test("is the domain that the front names, never a header", () => {
		const headers = { Host: "evil.example.com", "X-Forwarded-Host": "evil.example.com" };
		expect(read("readApiGatewayV1", restApiEvent({ headers })).request.ownOrigin).toBe(
			"https://api1.execute-api.eu-west-1.amazonaws.com",
		);
		expect(read("readApiGatewayV2", functionUrlEvent({ headers })).request.ownOrigin).toBe(
			"https://abc123.lambda-url.eu-west-1.on.aws",
		);
		expect(read("readLoadBalancer", loadBalancerEvent({ headers })).request.ownOrigin).toBeUndefined();
		expect(read("readLattice", latticeEvent({ headers })).request.ownOrigin).toBeUndefined();
	});
});

test("repeated headers are joined by commas, and cookies by semicolons", () => {
	const event = restApiEvent();
	const multiValueHeaders = { Accept: ["application/json", "text/event-stream"], Cookie: ["a=1"] };
	const { request } = read("readApiGatewayV1", {
		...event,
		headers: { Accept: "text/event-stream" },
		multiValueHeaders,
	});
	expect(request.header("accept")).toBe("application/json, text/event-stream");
	expect(read("readApiGatewayV2", functionUrlEvent()).request.header("cookie")).toBe("a=1; b=2");
});

test.each([
	{},
	{ requestContext: null },
	{ requestContext: {} },
	{ requestContext: { http: "x" } },
	{ jsonrpc: "2.0" },
])("%o is no event of a front", (event) => {
	for (const readEvent of Object.values(readers)) expect(readEvent(event)).toBeUndefined();
});
