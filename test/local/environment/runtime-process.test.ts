import { EventEmitter } from "node:events";
import { expect, test, vi } from "vitest";

const spawn = vi.hoisted(() => vi.fn());
vi.mock("node:child_process", async (original) => ({ ...(await original<object>()), spawn }));

const { startRuntimeProcess } = await import("../../../src/local/environment/runtime-process.ts");

test("without a file descriptor for its pipes a process has failed, and the host goes on", async () => {
	const child = Object.assign(new EventEmitter(), { pid: undefined, stdout: undefined, stderr: undefined });
	spawn.mockReturnValue(child);
	const lines: string[] = [];
	const exits: object[] = [];
	const fn = { memorySizeMb: 128, command: { file: "runtime.js" }, taskRoot: "/" };
	const process = startRuntimeProcess(fn as never, {}, [], {
		onLine: (_, line) => lines.push(line),
		onExit: (exit) => exits.push(exit),
		onProcess: () => {},
	});
	child.emit("error", new Error("spawn EMFILE"));
	await process.gone();
	await process.flushLogs();
	expect(lines).toEqual(["spawn EMFILE"]);
	expect(exits).toEqual([{ code: 1, signal: null }]);
	expect(process.readMaxMemoryMb()).toBeUndefined();
});
