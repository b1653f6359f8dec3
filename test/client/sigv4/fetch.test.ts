import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { createSigV4Fetch } from "../../../src/client/index.ts";
import { explainRefusal, secret, startVerifyingServer } from "./verifier.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: secret, sessionToken: "a+token/=" };
const options = { service: "lambda", region: "eu-west-1", credentials };
const startOk = () => startVerifyingServer((_, response) => response.end("ok"));

test("the verifier accepts AWS's published example, and refuses it when changed", () => {
	const request = {
		method: "GET",
		target: "/?Action=ListUsers&Version=2010-05-08",
		headers: {
			"content-type": "application/x-www-form-urlencoded; charset=utf-8",
			host: "iam.amazonaws.com",
			"x-amz-date": "20150830T123600Z",
			authorization:
				"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
		},
		body: new Uint8Array(),
	};
	const now = Date.parse("2015-08-30T12:36:00Z");
	expect(explainRefusal(request, secret, now)).toBeUndefined();
	expect(explainRefusal({ ...request, target: "/?Action=ListUsers" }, secret, now)).toMatch("signature differs");
	expect(explainRefusal({ ...request, body: new Uint8Array(1) }, secret, now)).toMatch("signature differs");
	expect(explainRefusal(request, secret, now + 301_000)).toBe("clock skew");
});

test.each<[string, string, string, string]>([
	["get-vanilla", "GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
	["post-vanilla", "POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"],
	[
		"get-vanilla-query-order-key-case",
		"GET",
		"/?Param2=value2&Param1=value1",
		"b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
	],
	[
		"get-vanilla-empty-query-key",
		"GET",
		"/?Param1=value1",
		"a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
	],
	["get-utf8", "GET", "/ሴ", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"],
	["get-space", "GET", "/example space/", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"],
	["get-slashes", "GET", "//example//", "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"],
	["get-relative", "GET", "/example/..", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
])("the verifier accepts %s of AWS's test suite", (_, method, target, signature) => {
	const request = {
		method,
		target,
		headers: {
			host: "example.amazonaws.com",
			"x-amz-date": "20150830T123600Z",
			authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`,
		},
		body: new Uint8Array(),
	};
	expect(explainRefusal(request, secret, Date.parse("2015-08-30T12:36:00Z"))).toBeUndefined();
});

test.each([
	"/runtimes/arn%3Aaws%3Abedrock-agentcore%3Aeu-west-1%3A1%3Aruntime%2Fx/invocations?qualifier=DEFAULT",
	"/invocations?qualifier=DEFAULT",
	"/?b=2&a=2&a=1&empty=&bare&=x",
	"/?q=a+b%20c%2Bd&100%=100%&ü=é🙂&x=a=b",
	"/?Z=1&a=2&A=3&%7E=~&!'()*=!'()*",
	"/a%20b/ü/🙂/%E2%82%AC/(x)/a:b@c;d,e/%2F/",
	"//double//slash/./x/../y/",
	"/?constructor=1&toString=&1=2&0=3",
])("signs %s", async (target) => {
	await using server = await startOk();
	const response = await createSigV4Fetch(options)(server.url + target);
	expect([response.status, await response.text()]).toEqual([200, "ok"]);
});

test.each(["__proto__=1", "X-Amz-Signature=1", "a=%ff"])("says why it cannot sign the query %s", async (query) => {
	await expect(createSigV4Fetch(options)(`http://127.0.0.1:9/?${query}`)).rejects.toThrow(/^The URL has /);
});

test("signs the S3 path once", async () => {
	await using server = await startOk();
	const fetch = createSigV4Fetch({ ...options, service: "s3" });
	expect((await fetch(`${server.url}/a%20b/(c)//d`)).status).toBe(200);
});

const bytes = new TextEncoder().encode("\u0000ÿ🙂");
test.each<[string, () => unknown, Uint8Array | string | RegExp]>([
	["a string", () => "ü", "ü"],
	["an empty string", () => "", ""],
	["URLSearchParams", () => new URLSearchParams({ a: "b c" }), "a=b+c"],
	["Uint8Array", () => bytes, bytes],
	["ArrayBuffer", () => bytes.buffer, bytes],
	["DataView", () => new DataView(bytes.buffer), bytes],
	["Blob", () => new Blob([bytes]), bytes],
	["ReadableStream", () => new Blob([bytes]).stream(), bytes],
	[
		"an async iterable",
		() =>
			(async function* () {
				yield bytes;
			})(),
		bytes,
	],
	[
		"FormData",
		() => {
			const form = new FormData();
			form.set("name", "value");
			return form;
		},
		/name="name"\r\n\r\nvalue/,
	],
])("signs and sends %s as the body", async (_, body, expected) => {
	await using server = await startOk();
	const response = await createSigV4Fetch(options)(server.url, { method: "POST", body: body() as string });
	expect([response.status, server.refusals]).toEqual([200, []]);
	const arrived = Buffer.from(server.received[0]?.body ?? []);
	if (expected instanceof RegExp) expect(arrived.toString()).toMatch(expected);
	else expect(arrived).toEqual(Buffer.from(expected as string));
});

test("streams a body that the caller declares unsigned", async () => {
	await using server = await startOk();
	const response = await createSigV4Fetch(options)(server.url, {
		method: "PUT",
		headers: { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
		body: new Blob([bytes]).stream(),
	});
	expect(response.status).toBe(200);
	expect(server.received[0]?.headers).toMatchObject({ "transfer-encoding": "chunked" });
});

test("takes a Request, with what init overrides", async () => {
	await using server = await startOk();
	const request = new Request(`${server.url}/x?a=1`, { method: "POST", body: "one", headers: { "x-a": "1" } });
	expect((await createSigV4Fetch(options)(request, { body: "two" })).status).toBe(200);
	expect(server.received[0]).toMatchObject({ method: "POST", body: Buffer.from("two"), headers: { "x-a": "1" } });
});

test("replaces the caller's Authorization and leaves what proxies change unsigned", async () => {
	await using server = await startOk();
	await createSigV4Fetch(options)(new URL(server.url), {
		headers: [
			["Authorization", "Bearer x"],
			["User-Agent", "x"],
			["Accept", "text/event-stream"],
			["X-Wide", "a   b"],
			["X-Latin", "é"],
			["X-Amz-Date", "20000101T000000Z"],
		],
	});
	expect(server.refusals).toEqual([]);
	expect(server.received[0]?.headers.authorization).toMatch(
		"SignedHeaders=accept;host;x-amz-content-sha256;x-amz-date;x-amz-security-token;x-wide,",
	);
});

test("signs any path, query, header and body so that the verifier accepts it", async () => {
	await using server = await startOk();
	const fetch = createSigV4Fetch(options);
	const text = fc.string({ unit: "grapheme", maxLength: 12 });
	await fc.assert(
		fc.asyncProperty(
			fc.array(text),
			fc.array(
				fc.tuple(
					text.filter((name) => name !== "__proto__"),
					text,
				),
			),
			fc.string({ maxLength: 20 }),
			fc.uint8Array(),
			async (path, query, header, body) => {
				const target = path.map(encodeURIComponent).join("/");
				const pairs = query.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
				const response = await fetch(`${server.url}/${target}?${pairs}`, {
					method: "POST",
					headers: { "x-any": header },
					body,
				});
				expect(await response.text()).toBe("ok");
				expect(Buffer.from(server.received.at(-1)?.body ?? [])).toEqual(Buffer.from(body));
			},
		),
		{ numRuns: 200 },
	);
});

test.each<[string, (request: { url: string; init: RequestInit }) => void]>([
	["the body", ({ init }) => Object.assign(init, { body: "changed" })],
	["the query", (request) => Object.assign(request, { url: `${request.url}&b=2` })],
	["the path", (request) => Object.assign(request, { url: request.url.replace("/x", "/y") })],
	["a header", ({ init }) => (init.headers as Headers).set("mcp-session-id", "other")],
	[
		"the time",
		({ init }) => {
			const headers = init.headers as Headers;
			const date = headers.get("x-amz-date") ?? "";
			headers.set(
				"x-amz-date",
				date.replace(/\dZ$/, (end) => (end === "0Z" ? "1Z" : "0Z")),
			);
		},
	],
])("is refused when %s is changed on the way", async (_, change) => {
	await using server = await startOk();
	const fetch = createSigV4Fetch({
		...options,
		fetch: (url, init) => {
			const request = { url, init };
			change(request);
			return globalThis.fetch(request.url, request.init);
		},
	});
	const init = { method: "POST", body: "sent", headers: { "mcp-session-id": "one" } };
	expect((await fetch(`${server.url}/x?a=1`, init)).status).toBe(403);
	expect(server.refusals).toEqual([expect.stringMatching(/differs/)]);
});

test("follows a redirect within the origin with a new signature", async () => {
	await using server = await startVerifyingServer((request, response) => {
		if (request.url?.startsWith("/from")) response.writeHead(307, { location: "/to?a=b+c" }).end();
		else response.end("there");
	});
	const response = await createSigV4Fetch(options)(`${server.url}/from`, { method: "POST", body: "x" });
	expect(await response.text()).toBe("there");
	expect(server.received[1]).toMatchObject({ method: "POST", target: "/to?a=b%20c", body: Buffer.from("x") });
});

test("a POST that a 303 redirects becomes a GET without a body, signed", async () => {
	await using server = await startVerifyingServer((request, response) => {
		if (request.method === "POST") response.writeHead(303, { location: "/there" }).end();
		else response.end("there");
	});
	const response = await createSigV4Fetch(options)(server.url, { method: "POST", body: new URLSearchParams("a=b") });
	expect(await response.text()).toBe("there");
	expect(server.received[1]?.headers).not.toHaveProperty("content-type");
});

test("ends redirects that do not end", async () => {
	await using server = await startVerifyingServer((_, response) => response.writeHead(307, { location: "/" }).end());
	await expect(createSigV4Fetch(options)(server.url)).rejects.toThrow("More than 20 redirects");
});

test("does not follow a redirect to another origin", async () => {
	await using other = await startOk();
	await using server = await startVerifyingServer((_, response) =>
		response.writeHead(302, { location: `${other.url}/?token=hidden` }).end(),
	);
	const call = createSigV4Fetch(options)(server.url);
	await expect(call).rejects.toThrow(/redirects to .*not sent to another origin/);
	await expect(call).rejects.not.toThrow("hidden");
	expect(other.received).toEqual([]);
	expect((await createSigV4Fetch(options)(server.url, { redirect: "manual" })).status).toBe(302);
});

test("corrects its clock by the Date of a 403, and keeps the correction", async () => {
	const ahead = 3_600_000;
	await using server = await startVerifyingServer(
		(_, response) => response.end("ok"),
		() => Date.now() + ahead,
	);
	const fetch = createSigV4Fetch(options);
	expect((await fetch(server.url, { method: "POST", body: "x" })).status).toBe(200);
	expect((await fetch(server.url)).status).toBe(200);
	expect(server.refusals).toEqual(["clock skew"]);
	expect(server.received).toHaveLength(3);
});

test("corrects its clock for all requests that it was wrong for", async () => {
	const ahead = 3_600_000;
	await using server = await startVerifyingServer(
		(_, response) => response.end("ok"),
		() => Date.now() + ahead,
	);
	const fetch = createSigV4Fetch(options);
	const responses = await Promise.all(Array.from({ length: 5 }, () => fetch(server.url)));
	expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
});

test("gives back the 403 of an application, whatever its Date, and does not call it again", async () => {
	await using server = await startVerifyingServer((_, response) => {
		response.setHeader("date", new Date(Date.now() + 3_600_000).toUTCString());
		response.writeHead(403).end("the tool may not");
	});
	const fetch = createSigV4Fetch(options);
	const response = await fetch(server.url, { method: "POST", body: "x" });
	expect([response.status, await response.text()]).toEqual([403, "the tool may not"]);
	await fetch(server.url);
	expect(server.received).toHaveLength(2);
	expect(server.refusals).toEqual([]);
});

test("asks for credentials once, shared by concurrent calls, and anew when they are about to expire", async () => {
	await using server = await startOk();
	let lifetimeMs = 60_000;
	const provider = vi.fn(async () => ({ ...credentials, expiration: new Date(Date.now() + lifetimeMs) }));
	const fetch = createSigV4Fetch({ ...options, credentials: provider });
	await fetch(server.url);
	const before = provider.mock.calls.length;
	lifetimeMs = 3_600_000;
	await Promise.all([fetch(server.url), fetch(server.url), fetch(server.url)]);
	expect(provider).toHaveBeenCalledTimes(before + 1);
	await fetch(server.url);
	expect(provider).toHaveBeenCalledTimes(before + 1);
});

test("honours the signal while credentials are fetched", async () => {
	const controller = new AbortController();
	const fetch = createSigV4Fetch({ ...options, credentials: () => new Promise(() => {}) });
	const call = fetch("http://127.0.0.1:9", { signal: controller.signal });
	controller.abort(new Error("enough"));
	await expect(call).rejects.toThrow("enough");
});

test.each([
	["abc.lambda-url.eu-west-1.on.aws", "eu-west-1/lambda"],
	["abc.execute-api.us-gov-west-1.amazonaws.com", "us-gov-west-1/execute-api"],
	["abc.execute-api.cn-north-1.amazonaws.com.cn", "cn-north-1/execute-api"],
	["abc-vpce-1.execute-api.eu-west-1.amazonaws.com", "eu-west-1/execute-api"],
	["vpce-1-x.execute-api.eu-west-1.vpce.amazonaws.com", "eu-west-1/execute-api"],
	["bedrock-agentcore.us-east-1.amazonaws.com", "us-east-1/bedrock-agentcore"],
	["gw.gateway.bedrock-agentcore.us-east-1.amazonaws.com", "us-east-1/bedrock-agentcore"],
	["lambda.eu-west-1.api.aws", "eu-west-1/lambda"],
	["lambda-fips.us-east-1.amazonaws.com", "us-east-1/lambda"],
])("infers service and region of %s", async (host, scope) => {
	const send = vi.fn(async (_url: string, _init: RequestInit) => new Response());
	await createSigV4Fetch({ credentials, fetch: send })(`https://${host}/mcp`);
	expect(new Headers(send.mock.calls[0]?.[1].headers).get("authorization")).toContain(`/${scope}/aws4_request`);
});

test.each([
	[{ AWS_REGION: "eu-west-1", AWS_DEFAULT_REGION: "us-east-1" }, "eu-west-1"],
	[{ AWS_REGION: "", AWS_DEFAULT_REGION: "us-east-1" }, "us-east-1"],
])("takes region and credentials from the environment %j", async (environment, region) => {
	await using server = await startOk();
	vi.stubEnv("AWS_PROFILE", undefined);
	vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDENV");
	vi.stubEnv("AWS_SECRET_ACCESS_KEY", secret);
	for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
	try {
		expect((await createSigV4Fetch({ service: "lambda" })(server.url)).status).toBe(200);
		expect(server.received[0]?.headers.authorization).toMatch(`Credential=AKIDENV/`);
		expect(server.received[0]?.headers.authorization).toMatch(`/${region}/lambda/`);
	} finally {
		vi.unstubAllEnvs();
	}
});

test("says what to give when no region is found", async () => {
	const unset = ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"];
	for (const name of unset) vi.stubEnv(name, undefined);
	vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
	vi.stubEnv("AWS_CONFIG_FILE", "/nonexistent");
	vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
	try {
		await expect(createSigV4Fetch({ service: "lambda", credentials })("http://127.0.0.1:9")).rejects.toThrow(
			/^No region in the host name 127.0.0.1, .*give createSigV4Fetch a region$/,
		);
	} finally {
		vi.unstubAllEnvs();
	}
});

test("says what to give when no service is found", async () => {
	await expect(createSigV4Fetch({ credentials })("https://example.com")).rejects.toThrow(
		'No service in the host name example.com: give createSigV4Fetch one, such as { service: "lambda" }',
	);
});

test("refuses unknown options", () => {
	expect(() => createSigV4Fetch({ regoin: "x" } as never)).toThrow("options.regoin is not an option");
	expect(() => createSigV4Fetch({ credentials: { accessKeyId: "x" } } as never)).toThrow("options.credentials must be");
});
