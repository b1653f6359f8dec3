import { afterEach, describe, expect, test, vi } from "vitest";
import { McpStdioError } from "../src/errors.ts";
import { combineObservers, failureObserver, type Observer, tell } from "../src/observer.ts";

const event = { server: "everything", pid: 7, source: "fresh", elapsedMs: 1 } as const;

afterEach(() => vi.restoreAllMocks());

describe("tell", () => {
	test("gives an observer the event", () => {
		const spawn = vi.fn();
		tell({ spawn }, "spawn", event);
		expect(spawn).toHaveBeenCalledExactlyOnceWith(event);
	});

	test("calls a member on its observer, so that a class can be one", () => {
		class Counter implements Observer {
			count = 0;
			spawn(): void {
				this.count += 1;
			}
		}
		const counter = new Counter();
		tell<Observer, "spawn">(counter, "spawn", event);
		expect(counter.count).toBe(1);
	});

	test.each<[string, Observer | undefined]>([
		["no observer", undefined],
		["an observer without the member", {}],
		["a member that is undefined", { spawn: undefined } as unknown as Observer],
		["a member that is no function", { spawn: "loud" } as unknown as Observer],
	])("does nothing with %s", (_, observer) => {
		expect(() => tell(observer, "spawn", event)).not.toThrow();
	});

	test.each<[string, () => never]>([
		[
			"throws",
			() => {
				throw new Error("no");
			},
		],
		[
			"throws null",
			() => {
				throw null;
			},
		],
	])("ignores that an observer %s", (_, spawn) => {
		expect(() => tell<Observer, "spawn">({ spawn }, "spawn", event)).not.toThrow();
	});

	test("ignores that an asynchronous observer rejects", async () => {
		const others = process.listeners("unhandledRejection");
		const unhandled = vi.fn();
		process.removeAllListeners("unhandledRejection").on("unhandledRejection", unhandled);
		try {
			tell<Observer, "spawn">({ spawn: async () => Promise.reject(new Error("no")) }, "spawn", event);
			await new Promise(setImmediate);
			expect(unhandled).not.toHaveBeenCalled();
		} finally {
			process.removeAllListeners("unhandledRejection");
			for (const other of others) process.on("unhandledRejection", other);
		}
	});
});

describe("failureObserver", () => {
	const cause = new Error("cause");
	const error = new McpStdioError("SERVER_EXITED", "It ended", {
		data: { phase: "request", exitCode: 1, elapsedMs: 12 },
		stderr: ["first", "second\nthird"],
		cause,
	});

	test("writes a failure to stderr as one line of JSON", () => {
		const write = vi.spyOn(console, "error").mockReturnValue();
		tell(failureObserver, "failure", { server: "everything", error, requestId: 0, method: "tools/call" });
		expect(write).toHaveBeenCalledOnce();
		const [line] = write.mock.lastCall as [string];
		expect(line).not.toContain("\n");
		expect(JSON.parse(line)).toStrictEqual({
			level: "ERROR",
			message: error.message,
			server: "everything",
			code: "SERVER_EXITED",
			phase: "request",
			exitCode: 1,
			elapsedMs: 12,
			method: "tools/call",
			requestId: 0,
			cause: "Error: cause",
			stderr: ["first", "second\nthird"],
		});
	});

	test("leaves the request out where there is none", () => {
		const write = vi.spyOn(console, "error").mockReturnValue();
		tell(failureObserver, "failure", { server: "everything", error });
		expect(JSON.parse(write.mock.lastCall?.[0])).not.toHaveProperty("requestId");
	});

	test("writes nothing but failures", () => {
		expect(Object.keys(failureObserver)).toStrictEqual(["failure"]);
	});
});

describe("combineObservers", () => {
	test("tells each observer, even when another throws", () => {
		const told = vi.fn();
		const fails = (): void => {
			throw new Error("The observer fails");
		};
		combineObservers([{ spawn: fails }, { spawn: told }]).spawn?.(event);
		expect(told).toHaveBeenCalledExactlyOnceWith(event);
	});

	test("has only the methods that one of them has, so that nothing is done for nobody", () => {
		class Counter implements Observer {
			spawn(): void {}
		}
		expect(Object.keys(combineObservers([new Counter(), { exit() {} }])).sort()).toEqual(["exit", "spawn"]);
	});

	test("is the observer itself when there is one", () => {
		expect(combineObservers([failureObserver])).toBe(failureObserver);
	});
});
