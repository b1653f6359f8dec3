import { Hono } from "hono";
import { handle } from "hono/aws-lambda";
import { handleLambdaEvent } from "srvx/aws-lambda";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { readHttpEvent } from "../../src/events/index.ts";
import {
	functionUrlEvent,
	httpApiEvent,
	latticeEvent,
	loadBalancerEvent,
	restApiEvent,
	type Sent,
} from "./http-events.ts";

/** What of a request the rules of MCP look at, and what they do not must not be read in another way. */
type Seen = Readonly<
	Record<"method" | "path" | "accept" | "content-type" | "origin" | "cookie" | "mcp" | "x-name" | "body", string>
>;

function ours(event: Record<string, unknown>): Seen {
	const read = readHttpEvent(event);
	if (!read) throw new Error("The event is no front's");
	const { method, basePath, path, header, body } = read.request;
	return seen(method, basePath + path, (name) => header(name), body ?? "(no UTF-8)");
}

async function ofRequest(request: Request): Promise<Seen> {
	const body = await request.text();
	return seen(request.method, new URL(request.url).pathname, (name) => request.headers.get(name), body);
}

function seen(method: string, path: string, header: (name: string) => string | null | undefined, body: string): Seen {
	const value = (name: string): string => header(name) ?? "(none)";
	return {
		method,
		path,
		accept: value("accept"),
		"content-type": value("content-type"),
		origin: value("origin"),
		cookie: value("cookie"),
		mcp: value("mcp-protocol-version"),
		"x-name": value("x-name"),
		body,
	};
}

type Oracle = (event: Record<string, unknown>) => Promise<Seen>;

const oracles: Readonly<Record<string, Oracle>> = {
	hono: (event) =>
		whenCalled((fetch) => {
			const app = new Hono();
			app.all("*", (context) => fetch(context.req.raw));
			app.onError((error) => {
				throw error;
			});
			return handle(app)(event as never, {} as never);
		}),
	srvx: (event) => whenCalled((fetch) => handleLambdaEvent(fetch, event as never, {} as never)),
};

async function whenCalled(call: (fetch: (request: Request) => Promise<Response>) => unknown): Promise<Seen> {
	let given: Seen | undefined;
	await call(async (request) => {
		given = await ofRequest(request);
		return new Response();
	});
	if (!given) throw new Error("It has not called");
	return given;
}

const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { text: "Grüße, 世界" } });
const headers = { Origin: "https://app.example.com", "MCP-Protocol-Version": "2025-11-25" };
const post: Sent = { body, headers };

const fronts: Readonly<Record<string, (sent: Sent) => Record<string, unknown>>> = {
	"Function URL": functionUrlEvent,
	"HTTP API": httpApiEvent,
	"HTTP API with a stage": (sent) => httpApiEvent(sent, "prod"),
	"REST API": restApiEvent,
	"REST API, headers as lists only": (sent) => ({ ...restApiEvent(sent), headers: null }),
	"REST API, headers as texts only": (sent) => ({ ...restApiEvent(sent), multiValueHeaders: null }),
	"load balancer": loadBalancerEvent,
	"load balancer, multi-value": (sent) => loadBalancerEvent(sent, true),
	"VPC Lattice": latticeEvent,
};

const requests: Readonly<Record<string, Sent>> = {
	POST: post,
	"POST in base64": { ...post, base64: true },
	"POST without a body": { ...post, body: "" },
	"POST to a path with escapes": { ...post, path: "/mcp/a%20b/%E4%B8%96" },
	"POST with a query": { ...post, query: "a=1&b=%20" },
	GET: { method: "GET", headers, body: "" },
	"GET with a body": { method: "GET", headers, body: "{}" },
	"POST with a header outside of Latin-1": { ...post, headers: { ...headers, "X-Name": "世界" } },
};

const cases = Object.entries(fronts).flatMap(([front, make]) =>
	Object.entries(requests).map(([request, sent]) => ({ name: `${front}, ${request}`, event: make(sent) })),
);

type Difference = {
	readonly library: "hono" | "srvx";
	readonly where: RegExp;
	readonly what: RegExp;
	readonly why: string;
};

/** Where they read in another way than we do. One that is gone with a newer version fails the test: take it out here. */
const differences: readonly Difference[] = [
	{
		library: "hono",
		where: /^REST API/,
		what: /^path$/,
		why: "Both take `path`, which has no stage. Ours is the same, and the stage is its `basePath`: the URL that the client wrote.",
	},
	{
		library: "srvx",
		where: /^REST API/,
		what: /^path$/,
		why: "As Hono.",
	},
	{
		library: "hono",
		where: /GET with a body$/,
		what: /^throws/,
		why: "A web Request has no body with GET; a client may send one, and is answered 405.",
	},
	{ library: "srvx", where: /GET with a body$/, what: /^throws/, why: "As Hono." },
	{
		library: "hono",
		where: /^load balancer, multi-value/,
		what: /^accept$/,
		why: "It joins repeated headers with semicolons, which makes parameters of what are media types.",
	},
	{
		library: "hono",
		where: /header outside of Latin-1$/,
		what: /^x-name$/,
		why: "It escapes what a web Request cannot hold. No rule of MCP looks at such a header, and ours makes no web Request.",
	},
	{
		library: "srvx",
		where: /header outside of Latin-1$/,
		what: /^throws Cannot convert argument to a ByteString/,
		why: "A web Request cannot hold the value; anybody may send it.",
	},
	{
		library: "srvx",
		where: /^(REST API, headers as lists only|load balancer, multi-value)/,
		what: /^throws Cannot read properties of (null|undefined)/,
		why: "It needs `headers`, which these events do not have.",
	},
	{
		library: "srvx",
		where: /^VPC Lattice/,
		what: /^(throws Request with GET|method|accept|mcp|origin)/,
		why: "It does not know VPC Lattice: the method stands elsewhere, and headers are lists.",
	},
];

/** What of an event a library reads in another way. */
async function differencesIn(read: Oracle, event: Record<string, unknown>): Promise<readonly string[]> {
	const mine = ours(event);
	try {
		const theirs = await read(event);
		return Object.keys(mine).filter((key) => mine[key as keyof Seen] !== theirs[key as keyof Seen]);
	} catch (error) {
		return [`throws ${(error as Error).message}`];
	}
}

// Hono writes of what it cannot read.
beforeEach(() => {
	const spy = vi.spyOn(console, "error").mockImplementation(() => {});
	return () => spy.mockRestore();
});

describe.each(Object.entries(oracles))("%s reads as we do", (library, read) => {
	const known = differences.filter((difference) => difference.library === library);

	test.each(cases)("the event of a $name, but for what is known", async ({ name, event }) => {
		const unknown = (await differencesIn(read, event)).filter(
			(what) => !known.some((difference) => difference.where.test(name) && difference.what.test(what)),
		);
		expect(unknown).toEqual([]);
	});

	test.each(known)("and not $where: $what, because: $why", async ({ where, what }) => {
		const found = await Promise.all(
			cases.filter(({ name }) => where.test(name)).map(({ event }) => differencesIn(read, event)),
		);
		expect(found.flat().filter((difference) => what.test(difference))).not.toEqual([]);
	});
});
