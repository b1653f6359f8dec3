import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { decodeDirect } from "../src/events/direct.ts";
import type { JsonRpcResponse } from "../src/jsonrpc.ts";
import { createStreamedResult, createWholeResult } from "../src/result.ts";

const log = (data: string) => ({ jsonrpc: "2.0", method: "notifications/message", params: { data } }) as const;
const response: JsonRpcResponse = { jsonrpc: "2.0", id: 1, result: {} };

function create() {
	const decoded = decodeDirect({ jsonrpc: "2.0", id: 1, method: "ping" });
	if (!decoded || "answered" in decoded) throw new Error("not decoded");
	const { notify, respond } = createStreamedResult(decoded.reply.stream);
	if (!notify) throw new Error("no notifications");
	return {
		notify,
		respond: (result: Promise<JsonRpcResponse>) =>
			respond(
				result.then((one) => [one]),
				ignore,
			),
	};
}
const ignore = () => {};

test("notifications that leave no room for the response give way to it", async () => {
	const large: JsonRpcResponse = { jsonrpc: "2.0", id: 1, result: { text: "x".repeat(900) } };
	const reply = {
		result: (responses: readonly unknown[], notifications: readonly unknown[]) => [...notifications, ...responses],
		takesNotifications: true,
		limitBytes: 1300,
	};
	const { notify, respond } = createWholeResult(reply as never);
	for (let count = 0; count < 10; count += 1) notify?.(log("y".repeat(60)));
	const result = (await respond(Promise.resolve([large]), ignore)) as unknown[];
	expect(result).toMatchObject([{ params: { data: expect.stringContaining("10 notifications were dropped") } }, large]);
	expect(JSON.stringify(result).length).toBeLessThanOrEqual(1300);
});

test("a notification that comes after the result breaks nothing", async () => {
	const { notify, respond } = create();
	notify(log("before"));
	const stream = (await respond(Promise.resolve(response))) as Readable;
	await Promise.resolve();
	notify(log("after"));
	expect(await text(stream)).toBe(`${JSON.stringify(log("before"))}\n${JSON.stringify(response)}\n`);
	notify(log("long after"));
});

test.each(["before", "after"])(
	"notifications that nobody reads are dropped and counted, the result is not: %s respond",
	async (when) => {
		const { notify, respond } = create();
		const megabyte = log("x".repeat(1024 * 1024));
		const flood = () => {
			for (let sent = 0; sent < 50; sent += 1) notify(megabyte);
		};
		const { promise: result, resolve: answer } = Promise.withResolvers<JsonRpcResponse>();
		if (when === "before") flood();
		else notify(log("first"));
		const stream = (await respond(result)) as Readable;
		if (when === "after") flood();
		expect(stream.readableLength).toBeLessThan(18 * 1024 * 1024);
		answer(response);
		const lines = (await text(stream)).trimEnd().split("\n");
		const arrived = lines.filter((line) => line.length > 1024 * 1024).length;
		expect(arrived).toBeGreaterThan(10);
		expect(lines.slice(-2).map((line) => JSON.parse(line))).toMatchObject([
			{
				params: {
					level: "warning",
					data: expect.stringMatching(new RegExp(`^${50 - arrived} notifications were dropped`)),
				},
			},
			response,
		]);
	},
);
