import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeEvent, readHttpEvent } from "../../src/events/index.ts";
import { resolveHttpOptions } from "../../src/http/options.ts";
import type { JsonRpcNotification, JsonRpcResponse } from "../../src/jsonrpc.ts";
import { functionUrlEvent, httpApiEvent, latticeEvent, loadBalancerEvent, restApiEvent } from "./http-events.ts";

/** `.ci/run fuzz` sets it. */
const runs = Number(process.env.FUZZ_RUNS ?? 1000);

const initialize = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: {} });
const call = { jsonrpc: "2.0", id: "a", method: "tools/call", params: { name: "echo", _meta: { progressToken: 1 } } };
const notification = { jsonrpc: "2.0", method: "notifications/initialized" };

const bodies = fc.oneof(
	fc.constantFrom(initialize, JSON.stringify(call), JSON.stringify(notification), JSON.stringify([call, notification])),
	fc.constantFrom(
		"",
		"null",
		"{}",
		"[]",
		'{"jsonrpc":"2.0"}',
		"\ufeff{}",
		"{",
		'"\ud800"',
		"1e999",
		`${"[".repeat(5000)}`,
	),
	fc.json(),
	fc.string({ unit: "binary" }),
);
const headerNames = fc.constantFrom("Accept", "content-type", "MCP-Protocol-Version", "Origin", "Host", "User-Agent");
const headerValues = fc.oneof(
	fc.constantFrom("application/json, text/event-stream", "*/*", "application/json; charset=UTF-8", "2025-06-18"),
	fc.constantFrom("2025-03-26", "null", "https://evil.example", "http://localhost:1", "ELB-HealthChecker/2.0", ";=,"),
	fc.string({ unit: "binary", maxLength: 20 }),
);
const sent = fc.record(
	{
		method: fc.constantFrom("POST", "GET", "DELETE", "OPTIONS", "HEAD", "post", ""),
		path: fc.oneof(
			fc.constantFrom(
				"/mcp",
				"/",
				"",
				"/mcp/",
				"/.well-known/oauth-protected-resource",
				"/mcp/server-card",
				"/%zz",
				"//",
				"/health",
			),
			fc.webPath(),
		),
		query: fc.webQueryParameters(),
		headers: fc.dictionary(headerNames, headerValues, { maxKeys: 5 }),
		body: bodies,
		base64: fc.boolean(),
	},
	{ requiredKeys: ["body"] },
);

/** Whole events of each source. */
const sources = fc
	.tuple(
		sent,
		fc.constantFrom(
			functionUrlEvent,
			httpApiEvent,
			(given: object) => httpApiEvent(given, "live"),
			restApiEvent,
			(given: object) => restApiEvent(given, "live"),
			loadBalancerEvent,
			(given: object) => loadBalancerEvent(given, true),
			latticeEvent,
		),
	)
	.map(([given, make]) => make(given as never));

const junk = fc.oneof(
	fc.constantFrom<unknown>(undefined, null, 0, -1, true, "", "x", [], {}, Number.NaN, [null], { a: { b: 1 } }),
	fc.jsonValue({ maxDepth: 2 }),
);

/** One place of an event, as a path into it, that has something else in it. */
const damage = fc.array(fc.tuple(fc.array(fc.nat(30), { minLength: 1, maxLength: 3 }), junk), { maxLength: 3 });

function spoil(value: unknown, [index = 0, ...rest]: readonly number[], replacement: unknown): void {
	if (typeof value !== "object" || value === null) return;
	const names = Object.keys(value);
	const name = names[index % Math.max(1, names.length)];
	if (name === undefined) return;
	const members = value as Record<string, unknown>;
	if (rest.length > 0) spoil(members[name], rest, replacement);
	else if (replacement === undefined) delete members[name];
	else members[name] = replacement;
}

const events = fc.tuple(sources, damage).map(([event, places]) => {
	const spoilt = structuredClone(event);
	for (const [path, replacement] of places) spoil(spoilt, path, replacement);
	return spoilt;
});

const http = fc
	.record({
		allowedOrigins: fc.constantFrom([], ["https://app.example.com"]),
		allowedHosts: fc.constantFrom(undefined, ["api.example.com"]),
		path: fc.constantFrom(undefined, "/mcp"),
		healthPath: fc.constantFrom(undefined, "/health"),
		resourceMetadata: fc.constantFrom(undefined, { authorizationServers: ["https://issuer.example"] }),
		serverCard: fc.constantFrom(undefined, { name: "com.example/it", version: "1", description: "It" }),
	})
	.map(resolveHttpOptions);

const clientContexts = fc.oneof(
	{ weight: 9, arbitrary: fc.constant(undefined) },
	fc.constantFrom({ custom: { bedrockAgentCoreToolName: "target___echo" } }, { custom: {} }),
	junk,
);

/** What every front of HTTP reads. */
function expectResult(result: unknown): void {
	const { statusCode, headers, multiValueHeaders, body } = result as Record<string, unknown>;
	expect(Number.isInteger(statusCode) && (statusCode as number) >= 200 && (statusCode as number) < 600).toBe(true);
	for (const value of Object.values((headers ?? {}) as object)) expect(typeof value).toBe("string");
	for (const value of Object.values((multiValueHeaders ?? {}) as object)) expect(Array.isArray(value)).toBe(true);
	expect(typeof body).toBe("string");
	// Lambda writes it as JSON.
	expect(typeof JSON.stringify(result)).toBe("string");
}

test(`no event makes a reader throw, and every answer is one that its front reads (${runs} events)`, {
	timeout: 600_000,
}, () => {
	let withMessages = 0;
	let answered = 0;
	fc.assert(
		fc.property(
			fc.oneof({ weight: 9, arbitrary: events }, junk),
			http,
			clientContexts,
			(event, options, clientContext) => {
				const decoded = decodeEvent(event, options, { clientContext, awsRequestId: "id" });
				if (!decoded) return;
				const isHttp = readHttpEvent(event) !== undefined && clientContext === undefined;
				if ("answered" in decoded) {
					answered += 1;
					if (isHttp) expectResult(decoded.answered);
					return;
				}
				withMessages += 1;
				const { messages, reply } = decoded;
				const responses = messages.flatMap((message): JsonRpcResponse[] => {
					if (message.kind === "notification") return [];
					const id = message.kind === "request" ? message.request.id : message.id;
					return [{ jsonrpc: "2.0", id: id as never, result: {} }];
				});
				const logged: JsonRpcNotification = {
					jsonrpc: "2.0",
					method: "notifications/message",
					params: { data: "\u2028\n" },
				};
				for (const notifications of [[], [logged]]) {
					if (notifications.length > 0 && !reply.takesNotifications) continue;
					const result = reply.result(responses, notifications);
					if (isHttp) expectResult(result);
				}
				if (isHttp) {
					expectResult(reply.stream.whole(responses));
					expect(reply.stream.frame?.(logged)).toMatch(/^(event: message\n)?data: [^\n]*\n\n$/);
				}
			},
		),
		{ numRuns: runs, seed: 1 },
	);
	// The events are not all refused, and not all taken.
	expect(withMessages).toBeGreaterThan(runs / 20);
	expect(answered).toBeGreaterThan(runs / 20);
});
