import { describe, expect, test, vi } from "vitest";
import type { JsonRpcNotification } from "../../src/jsonrpc.ts";
import { type Addressee, createNotifications, ownNumber } from "../../src/session/notifications.ts";

const log: JsonRpcNotification = { jsonrpc: "2.0", method: "notifications/message", params: { data: "x" } };
const progress = (progressToken: unknown) =>
	({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken, progress: 1 } }) as JsonRpcNotification;

function create(...ids: number[]) {
	const told: [id: number, notification: JsonRpcNotification][] = [];
	const onNoise = vi.fn();
	const waiting = new Map(
		ids.map((id): [number, Addressee] => [
			id,
			{
				request: { jsonrpc: "2.0", id, method: "tools/call" },
				callerToken: `token ${id}`,
				onNotification: (notification) => void told.push([id, notification]),
			},
		]),
	);
	return { notifications: createNotifications(waiting, onNoise), told, onNoise, waiting };
}

describe("progress", () => {
	test.each([1, "1"])("with the token %j reaches its request, with its caller's token", (token) => {
		const { notifications, told } = create(1, 2);
		expect(notifications.receive(progress(token))).toBe(true);
		expect(told).toEqual([[1, progress("token 1")]]);
	});

	test.each([3, "3", "one", null, undefined, {}])("with the token %j is noise", (token) => {
		const { notifications, told, onNoise } = create(1);
		expect(notifications.receive(progress(token))).toBe(false);
		expect(told).toEqual([]);
		expect(onNoise).toHaveBeenCalledOnce();
	});
});

describe("a log message", () => {
	test("reaches the only request that waits, without params that are null", () => {
		const { notifications, told } = create(1);
		notifications.receive({ ...log, params: null } as never);
		expect(told).toEqual([[1, { jsonrpc: "2.0", method: "notifications/message" }]]);
	});

	test.each([[[]], [[1, 2]]])("reaches none of %j", (ids) => {
		const { notifications, told } = create(...ids);
		notifications.receive(log);
		expect(told).toEqual([]);
	});

	test("reaches a request again once the server has answered what followed the cancellation", () => {
		const { notifications, told } = create(2);
		notifications.gaveUp(1);
		expect(notifications.needsMark()).toBe(true);
		const isOver = notifications.mark();
		notifications.gaveUp(3);
		notifications.receive(log);
		isOver();
		expect(notifications.needsMark()).toBe(true);
		notifications.mark()();
		notifications.receive(log);
		expect(told).toEqual([[2, log]]);
	});

	test("reaches a request again once what was given up was answered late", () => {
		const { notifications, told } = create(2);
		notifications.gaveUp(1);
		notifications.settled(1);
		notifications.receive(log);
		expect(told).toEqual([[2, log]]);
	});

	test("reaches none for a second after progress of what was given up", () => {
		const { notifications, told } = create(2);
		const now = vi.spyOn(performance, "now").mockReturnValue(1000);
		notifications.gaveUp(1);
		notifications.mark()();
		notifications.receive(progress(1));
		notifications.receive(log);
		expect(told).toEqual([]);
		now.mockReturnValue(2001);
		notifications.receive(log);
		expect(told).toEqual([[2, log]]);
		now.mockRestore();
	});
});

test("ten thousand requests that are given up leave no timer, and are forgotten", () => {
	const { notifications } = create();
	const timers = vi.spyOn(globalThis, "setInterval");
	const before = process.getActiveResourcesInfo().length;
	for (let id = 1; id <= 10_000; id += 1) notifications.gaveUp(id);
	expect(timers).not.toHaveBeenCalled();
	expect(process.getActiveResourcesInfo()).toHaveLength(before);
	timers.mockRestore();
});

test("a callback that throws or rejects is noise, and harms nothing", async () => {
	const { notifications, waiting, onNoise } = create(1);
	for (const onNotification of [
		() => Promise.reject(new Error("no")),
		() => {
			throw new Error("no");
		},
	]) {
		waiting.set(1, { ...(waiting.get(1) as Addressee), onNotification: onNotification as never });
		expect(notifications.receive(log)).toBe(true);
	}
	await new Promise(setImmediate);
	expect(onNoise).toHaveBeenCalledTimes(2);
});

test.each<[unknown, number | undefined]>([
	[7, 7],
	["7", 7],
	["07", 7],
	["7.0", undefined],
	["", undefined],
	[" 7", undefined],
	["9".repeat(30), undefined],
	[null, undefined],
])("%j is our number %j", (value, expected) => {
	expect(ownNumber(value)).toBe(expected);
});
