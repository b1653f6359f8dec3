import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, type TestContext, test } from "vitest";
import { createSigV4Fetch } from "../../../src/client/index.ts";
import type { LocalFrontOptions } from "../../../src/local/index.ts";
import { startLocalLambda } from "../../../src/local/index.ts";
import { createGate, fixture, startLambda, until } from "../lambda.ts";

type Event = Record<string, object> & { readonly body: string; readonly isBase64Encoded: boolean };
type Kind = LocalFrontOptions["kind"];
const handlers = ["echoes", "returns", "throws", "waits", "streams"] as const;
const handler = fixture("http.mjs");

/** A function for each way to answer, each behind a front of this kind. */
async function start(
	front: Omit<LocalFrontOptions, "functionName">,
	concurrency = 10,
	context: Pick<TestContext, "onTestFinished"> = { onTestFinished },
) {
	const functions = Object.fromEntries(
		handlers.map((exportName) => [exportName, { handler, exportName, timeoutMs: 20_000 }]),
	);
	const fronts = Object.fromEntries(handlers.map((functionName) => [functionName, { ...front, functionName }]));
	const lambda = await startLambda(functions, { fronts, concurrency }, context);
	const send = (name: (typeof handlers)[number], init: RequestInit = {}, path = "mcp") =>
		fetch(`${lambda.urls[name]}${path}`, init);
	const receive = async (...sent: Parameters<typeof send>) => (await (await send(...sent)).json()) as Event;
	const returns = (result: unknown) => send("returns", { method: "POST", body: JSON.stringify(result) });
	const streams = (what: object) => send("streams", { method: "POST", body: JSON.stringify(what) });
	return { lambda, send, receive, returns, streams };
}

/** One for all tests of a group. */
function startOnce(front: Omit<LocalFrontOptions, "functionName">) {
	const ends: (() => unknown)[] = [];
	const started = {} as Awaited<ReturnType<typeof start>>;
	beforeAll(async () => {
		const onTestFinished = (end: () => unknown) => void ends.push(end);
		Object.assign(started, await start(front, 10, { onTestFinished } as never));
	});
	afterAll(async () => {
		for (const end of ends) await end();
	});
	return started;
}

const post = (body: string, headers: Record<string, string> = {}): RequestInit => ({
	method: "POST",
	body,
	headers: { "Content-Type": "application/json", ...headers },
});
const query = "a=1&a=2&b=%C3%A4+x";
const cookies = { Cookie: "one=1; two=2", "X-Own": "mine" };

describe("the event", () => {
	test("of a Function URL has the payload format 2.0", async () => {
		const { lambda, receive } = await start({ kind: "functionUrl" });
		expect(lambda.urls.echoes).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
		const event = await receive("echoes", post('{"ä":1}', cookies), `mcp%20x?${query}`);
		expect(event).toMatchObject({
			version: "2.0",
			routeKey: "$default",
			rawPath: "/mcp%20x",
			rawQueryString: query,
			cookies: ["one=1", "two=2"],
			headers: {
				"content-type": "application/json",
				"x-own": "mine",
				"x-forwarded-for": "127.0.0.1",
				"x-amzn-trace-id": expect.stringMatching(/^Root=1-/),
			},
			queryStringParameters: { a: "1,2", b: "ä x" },
			requestContext: {
				accountId: "anonymous",
				domainName: expect.stringMatching(/^[0-9a-f]{32}\.lambda-url\.us-east-1\.on\.aws$/),
				http: { method: "POST", path: "/mcp%20x", protocol: "HTTP/1.1", sourceIp: "127.0.0.1" },
				stage: "$default",
				timeEpoch: expect.any(Number),
			},
			body: '{"ä":1}',
			isBase64Encoded: false,
		});
		expect(event.headers).not.toHaveProperty("cookie");
		expect(event.requestContext).not.toHaveProperty("authorizer");
		const empty = await receive("echoes", { method: "DELETE" });
		expect(empty).toMatchObject({ isBase64Encoded: false, requestContext: { http: { method: "DELETE" } } });
		for (const member of ["body", "cookies", "queryStringParameters"]) expect(empty).not.toHaveProperty(member);
	});

	const url = startOnce({ kind: "functionUrl" });
	test.each([
		["a picture", { "Content-Type": "image/png" }, true],
		["what says nothing of itself", { "Content-Type": "" }, true],
		["a packed text", { "Content-Type": "text/plain", "Content-Encoding": "gzip" }, true],
		["JSON of another name", { "Content-Type": "application/problem+json; charset=utf-8" }, false],
	])("has %s in base64 where it is none", async (_, headers, isBase64) => {
		const { receive } = url;
		const event = await receive("echoes", post("text", headers as never));
		expect(event.isBase64Encoded).toBe(isBase64);
		expect(Buffer.from(event.body, isBase64 ? "base64" : "utf8").toString()).toBe("text");
	});

	test("of an HTTP API has its stage in the path, unless it is the default", async () => {
		const { lambda, receive } = await start({ kind: "httpApi", stage: "live" });
		expect(lambda.urls.echoes).toMatch(/:\d+\/live\/$/);
		const event = await receive("echoes", post("{}"));
		expect(event).toMatchObject({
			version: "2.0",
			rawPath: "/live/mcp",
			requestContext: {
				stage: "live",
				domainName: "localapi.execute-api.us-east-1.amazonaws.com",
				http: { path: "/live/mcp" },
			},
		});
		const outside = await fetch(new URL("/other/mcp", lambda.urls.echoes));
		expect([outside.status, await outside.json()]).toEqual([404, { message: "Not Found" }]);
		const plain = await start({ kind: "httpApi" });
		expect(plain.lambda.urls.echoes).toMatch(/:\d+\/$/);
	});

	test("of a REST API has the payload format 1.0", async () => {
		const { lambda, receive } = await start({ kind: "restApi" });
		expect(lambda.urls.echoes).toMatch(/:\d+\/prod\/$/);
		const event = await receive("echoes", post("{}", cookies), `mcp?${query}`);
		expect(event).toMatchObject({
			resource: "/{proxy+}",
			path: "/mcp",
			httpMethod: "POST",
			headers: expect.objectContaining({ "X-Forwarded-Proto": "http" }),
			multiValueHeaders: expect.objectContaining({ "X-Forwarded-For": ["127.0.0.1"] }),
			queryStringParameters: { a: "2", b: "ä x" },
			multiValueQueryStringParameters: { a: ["1", "2"], b: ["ä x"] },
			pathParameters: { proxy: "mcp" },
			stageVariables: null,
			requestContext: {
				path: "/prod/mcp",
				stage: "prod",
				protocol: "HTTP/1.1",
				identity: { sourceIp: "127.0.0.1", accessKey: null },
				domainName: "localapi.execute-api.us-east-1.amazonaws.com",
			},
			body: "{}",
			isBase64Encoded: false,
		});
		const empty = await receive("echoes", {}, "");
		expect(empty).toMatchObject({ resource: "/", path: "/", pathParameters: null, body: null });
		expect(empty).toMatchObject({ queryStringParameters: null, multiValueQueryStringParameters: null });
		const outside = await fetch(new URL("/mcp", lambda.urls.echoes));
		expect([outside.status, await outside.json()]).toEqual([403, { message: "Forbidden" }]);
	});

	test.each([false, true])("of a load balancer has its query as it was sent; lists: %s", async (multiValueHeaders) => {
		const { receive } = await start({ kind: "loadBalancer", multiValueHeaders });
		const event = await receive("echoes", post("{}", { "X-Own": "mine" }), `mcp?${query}`);
		const elb = { targetGroupArn: expect.stringContaining(":targetgroup/") };
		const [a, b, own] = multiValueHeaders ? [["1", "2"], ["%C3%A4+x"], ["mine"]] : ["2", "%C3%A4+x", "mine"];
		const prefix = multiValueHeaders ? "multiValue" : "";
		const name = (text: string) => (prefix ? prefix + text : text.charAt(0).toLowerCase() + text.slice(1));
		expect(event).toEqual({
			requestContext: { elb },
			httpMethod: "POST",
			path: "/mcp",
			[name("QueryStringParameters")]: { a, b },
			[name("Headers")]: expect.objectContaining({ "x-own": own }),
			body: "{}",
			isBase64Encoded: false,
		});
		expect(await receive("echoes")).toMatchObject({ body: "", isBase64Encoded: false });
	});
});

const kinds: readonly Kind[] = ["functionUrl", "httpApi", "restApi", "loadBalancer"];

describe.each(kinds)("a result behind a %s", (kind) => {
	const shared = startOnce({ kind });
	const multiValue = { multiValueHeaders: { "X-Many": ["1", "2"] } };

	test("is answered with its status, its headers and its body", async () => {
		const { returns } = shared;
		const response = await returns({ statusCode: 404, headers: { "X-Own": "mine", "X-Number": 1 }, body: "not here" });
		expect([response.status, await response.text()]).toEqual([404, "not here"]);
		expect(response.headers.get("x-own")).toBe("mine");
		expect(response.headers.get("x-number")).toBe("1");
		expect(response.headers.get("content-length")).toBe("8");
	});

	test("may be empty", async () => {
		const { returns } = shared;
		const response = await returns({ statusCode: 202, body: "" });
		expect([response.status, await response.text()]).toEqual([202, ""]);
	});

	test("in base64 is decoded, where the front does so", async () => {
		const { returns } = shared;
		const body = Buffer.from("ä").toString("base64");
		const response = await returns({ statusCode: 200, body, isBase64Encoded: true });
		expect(await response.text()).toBe(kind === "restApi" ? body : "ä");
	});

	test("may set several cookies", async () => {
		const { returns } = await start({ kind, ...(kind === "loadBalancer" && { multiValueHeaders: true }) });
		const cookies = ["one=1", "two=2"];
		const isV2 = kind === "functionUrl" || kind === "httpApi";
		const result = isV2 ? { cookies } : { multiValueHeaders: { "Set-Cookie": cookies } };
		const response = await returns({ statusCode: 200, ...result });
		expect(response.headers.getSetCookie()).toEqual(cookies);
	});

	test("has the other mode's headers left out", async () => {
		const { returns } = shared;
		const response = await returns({ statusCode: 200, ...multiValue });
		expect(response.headers.get("x-many")).toBe(kind === "restApi" ? "1, 2" : null);
	});

	test("keeps its WWW-Authenticate, or has it renamed", async () => {
		const { returns } = shared;
		const headers = { "WWW-Authenticate": "Bearer", Server: "mine" };
		const response = await returns({ statusCode: 401, headers });
		const isRenamed = kind === "functionUrl" || kind === "restApi";
		expect(response.headers.get("www-authenticate")).toBe(isRenamed ? null : "Bearer");
		expect(response.headers.get("x-amzn-remapped-www-authenticate")).toBe(isRenamed ? "Bearer" : null);
	});

	test.each([
		["has no status code", { body: "hello" }],
		["is a text", "hello"],
		["is null", null],
	])("that %s is a 200 of the formats 2.0, and an error of the others", async (_, result) => {
		const { returns } = shared;
		const response = await returns(result);
		const isV2 = kind === "functionUrl" || kind === "httpApi";
		expect(response.status).toBe(isV2 ? 200 : 502);
		if (isV2) expect(await response.text()).toBe(typeof result === "string" ? result : JSON.stringify(result));
		if (isV2) expect(response.headers.get("content-type")).toBe("application/json");
	});

	const failure = { functionUrl: 502, httpApi: 500, restApi: 502, loadBalancer: 502 }[kind];

	test.each([
		["has a status that is none", { statusCode: 99, body: "" }],
		["has a status that is no number", { statusCode: "OK", body: "" }],
		["has a body that is no text", { statusCode: 200, body: { a: 1 } }],
		["has headers that are none", { statusCode: 200, headers: { a: { b: 1 } }, body: "" }],
	])(`that %s is ${failure}`, async (_, result) => {
		const { returns } = shared;
		expect((await returns(result)).status).toBe(failure);
	});

	test(`of a function that fails is ${failure}`, async () => {
		const { send } = shared;
		const response = await send("throws", post("{}"));
		expect(response.status).toBe(failure);
		expect(await response.text()).not.toContain("went wrong");
	});

	test("has a limit, as the request has", async () => {
		const { returns, send } = shared;
		const megabytes = kind === "loadBalancer" ? 1 : 6;
		expect((await send("echoes", post("x".repeat(megabytes * 1024 * 1024 + 1)))).status).toBe(413);
		if (kind !== "loadBalancer") return;
		// The rest is Lambda's own limit.
		const body = Buffer.alloc(800_000, "x").toString("base64");
		expect((await returns({ statusCode: 200, body: "x", isBase64Encoded: false })).status).toBe(200);
		expect(body.length).toBeGreaterThan(1024 * 1024);
		expect((await returns({ statusCode: 200, body })).status).toBe(413);
	});

	test("is refused when there is no concurrency left", async () => {
		const { lambda, send } = await start({ kind }, 1);
		const { gate, open } = await createGate();
		const waiting = send("waits", { method: "POST", body: gate });
		await until(() => lambda.environments("waits")[0]?.state === "busy", "the function waits");
		const refused = await send("echoes");
		expect(refused.status).toBe({ functionUrl: 429, httpApi: 503, restApi: 500, loadBalancer: 502 }[kind]);
		await open();
		expect(await (await waiting).text()).toBe("waited");
	});
});

describe.each(["functionUrl", "restApi"] as const)("a stream behind a %s", (kind) => {
	const shared = startOnce({ kind, streaming: true });
	const head = { statusCode: 201, headers: { "Content-Type": "text/event-stream", "X-Own": "mine" } };

	test("reaches the client while the function runs", async () => {
		const { streams } = shared;
		const { gate, open } = await createGate();
		const response = await streams({ head, pieces: ["first", " second"], gate });
		expect(response.status).toBe(201);
		expect(response.headers.get("x-own")).toBe("mine");
		const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
		expect(await reader?.read()).toEqual({ done: false, value: "first" });
		await open();
		let rest = "";
		for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) rest += read.value;
		expect(rest).toBe(" second");
	});

	test("may have no body", async () => {
		const { streams } = shared;
		const response = await streams({ head: { statusCode: 202, cookies: ["a=1"] } });
		expect([response.status, await response.text()]).toEqual([202, ""]);
		expect(response.headers.getSetCookie()).toEqual(["a=1"]);
	});

	test("that breaks off breaks the connection", async () => {
		const { streams } = shared;
		const response = await streams({ head, pieces: ["first"], breaks: true });
		expect(response.status).toBe(201);
		await expect(response.text()).rejects.toThrow();
	});

	test("whose head is none is an error", async () => {
		const { streams } = shared;
		expect((await streams({ head: { statusCode: 9 }, pieces: ["x"] })).status).toBe(502);
		const long = { statusCode: 200, headers: { "X-Long": "x".repeat(20_000) } };
		expect((await streams({ head: long, pieces: ["x"] })).status).toBe(502);
	});

	test("without a head is a plain 200 of a Function URL, and an error of a REST API", async () => {
		const { streams, returns, send } = shared;
		const response = await streams({ pieces: ["raw"] });
		expect(response.status).toBe(kind === "functionUrl" ? 200 : 502);
		if (kind === "functionUrl") expect(await response.text()).toBe("raw");
		const whole = await returns({ statusCode: 404 });
		expect(whole.status).toBe(kind === "functionUrl" ? 200 : 502);
		if (kind === "functionUrl") expect(await whole.json()).toEqual({ statusCode: 404 });
		expect((await send("throws")).status).toBe(502);
	});

	test("goes on when its client has gone, and the next one is served", async () => {
		const { lambda, streams } = shared;
		const { gate, open } = await createGate();
		const controller = new AbortController();
		const body = JSON.stringify({ head, pieces: ["first", "x".repeat(3_000_000)], gate });
		const response = await fetch(`${lambda.urls.streams}mcp`, { method: "POST", body, signal: controller.signal });
		expect(response.status).toBe(201);
		controller.abort();
		await open();
		await until(() => lambda.environments("streams").every(({ state }) => state === "idle"), "the function has ended");
		expect(await (await streams({ head, pieces: ["next"] })).text()).toBe("next");
	});
});

describe("a front with iam", () => {
	const iam = { accessKeyId: "AKIDLOCAL", secretAccessKey: "local secret" };

	test.each([
		["functionUrl", "lambda"],
		["httpApi", "execute-api"],
		["restApi", "execute-api"],
	] as const)("as a %s takes what is signed with its key, and nothing else", async (kind, service) => {
		const { lambda } = await start({ kind, iam });
		const signed = createSigV4Fetch({ service, region: "us-east-1", credentials: iam });
		const url = `${lambda.urls.echoes}mcp%20x/y?b=2&a=%C3%A4&a=1`;
		const response = await signed(url, post('{"jsonrpc":"2.0"}'));
		expect(response.status).toBe(200);
		const { requestContext } = (await response.json()) as { requestContext: Record<string, never> };
		const { authorizer, identity } = requestContext as Record<string, { iam?: unknown; accessKey?: unknown }>;
		expect(authorizer?.iam ?? identity).toMatchObject({ accessKey: iam.accessKeyId, accountId: "123456789012" });

		const other = createSigV4Fetch({ service, region: "us-east-1", credentials: { ...iam, secretAccessKey: "no" } });
		const elsewhere = createSigV4Fetch({ service, region: "eu-west-1", credentials: iam });
		for (const send of [fetch, other, elsewhere]) {
			expect((await send(url, post("{}"))).status).toBe(403);
		}
		expect(lambda.environments("echoes")).toHaveLength(1);
	});

	test("does not take a body that was changed on its way", async () => {
		const { lambda } = await start({ kind: "functionUrl", iam });
		let request: Request | undefined;
		const signed = createSigV4Fetch({
			service: "lambda",
			region: "us-east-1",
			credentials: iam,
			fetch: async (input: string | URL | Request, init?: RequestInit) => {
				request = new Request(input, init);
				return new Response();
			},
		} as never);
		await signed(`${lambda.urls.echoes}mcp`, post("sent"));
		const headers = request?.headers as Headers;
		const send = (body: string) => fetch(`${lambda.urls.echoes}mcp`, { method: "POST", headers, body });
		expect((await send("sent")).status).toBe(200);
		expect((await send("changed")).status).toBe(403);
	});
});

test("a front whose port is taken fails the start, and leaves nothing open", async () => {
	const taken = createServer();
	await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
	onTestFinished(() => void taken.close());
	const { port } = taken.address() as AddressInfo;
	const free = await startLocalLambda({ functions: { echoes: { handler, exportName: "echoes" } } });
	const own = Number(new URL(free.endpoint).port);
	await free.close();
	const fronts = { url: { kind: "functionUrl", functionName: "echoes", port } } as const;
	const functions = { echoes: { handler, exportName: "echoes" } };
	await expect(startLocalLambda({ functions, fronts, port: own })).rejects.toThrow("EADDRINUSE");
	const again = await startLocalLambda({ functions, port: own });
	await again.close();
});

test.each([
	[{ kind: "url", functionName: "echoes" }, 'fronts.it.kind must be "functionUrl" or "httpApi"'],
	[{ kind: "functionUrl" }, "fronts.it.functionName is missing"],
	[
		{ kind: "functionUrl", functionName: "none" },
		"fronts.it.functionName: there is no function none; there are echoes, isolated",
	],
	[{ kind: "httpApi", functionName: "echoes", streaming: true }, "fronts.it.streaming is for functionUrl and restApi"],
	[{ kind: "functionUrl", functionName: "echoes", stage: "prod" }, "fronts.it.stage is for httpApi and restApi"],
	[{ kind: "restApi", functionName: "echoes", stage: "$default" }, "fronts.it.stage must be a name"],
	[
		{ kind: "restApi", functionName: "echoes", multiValueHeaders: true },
		"fronts.it.multiValueHeaders is for loadBalancer",
	],
	[
		{ kind: "loadBalancer", functionName: "echoes", iam: { accessKeyId: "a", secretAccessKey: "b" } },
		"fronts.it.iam is for",
	],
	[{ kind: "functionUrl", functionName: "echoes", iam: { accessKeyId: "hush" } }, "fronts.it.iam must be {"],
	[{ kind: "functionUrl", functionName: "isolated" }, "fronts.it.functionName: isolated has tenant isolation"],
	[{ kind: "functionUrl", functionName: "echoes", name: 1 }, "fronts.it.name is not an option"],
])("the front %j is refused", async (front, message) => {
	const echoes = { handler, exportName: "echoes" };
	const functions = { echoes, isolated: { ...echoes, tenantIsolation: true } };
	const options = { functions, fronts: { it: front as never } };
	await expect(startLocalLambda(options)).rejects.toThrow(message);
	await expect(startLocalLambda(options)).rejects.not.toThrow("hush");
});
