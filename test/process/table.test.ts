import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { listProcesses, type ProcessEntry, processTree, signalProcess } from "../../src/process/table.ts";

afterEach(() => vi.unstubAllEnvs());

function entry(pid: number, parentPid: number, groupId = pid, sessionId = groupId): ProcessEntry {
	return { pid, parentPid, groupId, sessionId, startTime: 0, zombie: false };
}

const pidsOf = (entries: readonly ProcessEntry[]) => entries.map(({ pid }) => pid).sort((a, b) => a - b);

function start(detached = false): ChildProcess {
	const child = spawn("sleep", ["60"], { detached, stdio: "ignore" });
	onTestFinished(() => void child.kill("SIGKILL"));
	return child;
}

describe("processTree", () => {
	test.each<[string, ProcessEntry[], number[]]>([
		["nothing without the root", [entry(1, 0)], []],
		["the root alone", [entry(1, 0), entry(10, 1), entry(11, 1)], [10]],
		[
			"children of children",
			[entry(10, 1), entry(20, 10), entry(30, 20), entry(40, 30), entry(50, 1)],
			[10, 20, 30, 40],
		],
		["what comes before its parent in the table", [entry(30, 20), entry(20, 10), entry(10, 1)], [10, 20, 30]],
		["an orphan that shares the group", [entry(10, 1), entry(30, 1, 10)], [10, 30]],
		["an orphan that shares the session, in a group of its own", [entry(10, 1), entry(30, 1, 30, 10)], [10, 30]],
		["the children of an orphan", [entry(10, 1), entry(30, 1, 10), entry(40, 30, 40)], [10, 30, 40]],
		["a group whose leader has gone", [entry(30, 1, 10), entry(40, 30)], [30, 40]],
		["not what only shares the parent", [entry(5, 1), entry(10, 5, 10), entry(11, 5, 11)], [10]],
		["its way out of a circle", [entry(10, 20), entry(20, 10)], [10, 20]],
	])("finds %s", (_, entries, expected) => {
		expect(pidsOf(processTree(entries, 10))).toStrictEqual(expected);
	});

	test("finds all of a tree, each once, and nothing else, in whatever order the table is", () => {
		const parents = fc.array(fc.nat(), { minLength: 1, maxLength: 30 });
		fc.assert(
			fc.property(parents, fc.nat(), fc.infiniteStream(fc.nat()), (choices, root, order) => {
				// Process 1 is nobody's child; each other is a child of one before it.
				const table = [entry(1, 0), ...choices.map((choice, index) => entry(index + 2, (choice % (index + 1)) + 1))];
				const rootPid = (root % table.length) + 1;
				const isBelow = (pid: number): boolean => {
					if (pid === rootPid) return true;
					const parent = table[pid - 1]?.parentPid;
					return parent ? isBelow(parent) : false;
				};
				const shuffled = table
					.map((one) => ({ one, at: order.next().value as number }))
					.sort((a, b) => a.at - b.at)
					.map(({ one }) => one);
				expect(pidsOf(processTree(shuffled, rootPid))).toStrictEqual(pidsOf(table).filter(isBelow));
			}),
		);
	});
});

describe("listProcesses", () => {
	test("has this process and its child", () => {
		const child = start(true);
		const processes = listProcesses();
		expect(processes.find(({ pid }) => pid === process.pid)).toMatchObject({ parentPid: process.ppid, zombie: false });
		expect(processes.find(({ pid }) => pid === child.pid)).toMatchObject({
			parentPid: process.pid,
			groupId: child.pid,
			zombie: false,
		});
		expect(pidsOf(processTree(processes, process.pid))).toContain(child.pid);
	});

	test.skipIf(process.platform !== "linux")("reads a process whose name has spaces and brackets", () => {
		const { title } = process;
		onTestFinished(() => void Object.assign(process, { title }));
		process.title = ") Z 1 2 (3";
		const self = listProcesses().find(({ pid }) => pid === process.pid);
		expect(self).toMatchObject({ parentPid: process.ppid, zombie: false });
	});

	test.skipIf(process.platform !== "linux")("says when a process started, the later the higher", () => {
		const child = start();
		const processes = listProcesses();
		const startOf = (wanted: number | undefined) =>
			processes.find(({ pid }) => pid === wanted)?.startTime ?? Number.NaN;
		expect(startOf(process.pid)).toBeGreaterThan(0);
		expect(startOf(child.pid)).toBeGreaterThanOrEqual(startOf(process.pid));
	});

	test.skipIf(process.platform !== "linux")("tells a zombie from a living process", async () => {
		// The shell starts a child that ends at once, and turns into a program that never waits for it.
		const parent = spawn("sh", ["-c", "true & exec sleep 60"], { stdio: "ignore" });
		onTestFinished(() => void parent.kill("SIGKILL"));
		const child = () => listProcesses().find(({ parentPid }) => parentPid === parent.pid);
		await vi.waitFor(() => expect(child()).toMatchObject({ zombie: true }), { timeout: 60_000, interval: 10 });
	});

	test("reads what ps prints where there is no /proc", () => {
		const folder = mkdtempSync(join(tmpdir(), "ps-"));
		const rows = "    1     0     1 Ss  \n 4711     1  4711 S+\n12345  4711  4711 Z    \n\n";
		writeFileSync(join(folder, "ps"), `#!/bin/sh\nprintf '${rows.replaceAll("\n", "\\n")}'\n`);
		chmodSync(join(folder, "ps"), 0o755);
		const platform = Object.getOwnPropertyDescriptor(process, "platform") as PropertyDescriptor;
		onTestFinished(() => {
			Object.defineProperty(process, "platform", platform);
			rmSync(folder, { recursive: true });
		});
		vi.stubEnv("PATH", `${folder}${delimiter}${process.env.PATH}`);
		Object.defineProperty(process, "platform", { ...platform, value: "darwin" });
		expect(listProcesses()).toStrictEqual([
			{ pid: 1, parentPid: 0, groupId: 1, sessionId: 0, startTime: 0, zombie: false },
			{ pid: 4711, parentPid: 1, groupId: 4711, sessionId: 0, startTime: 0, zombie: false },
			{ pid: 12345, parentPid: 4711, groupId: 4711, sessionId: 0, startTime: 0, zombie: true },
		]);
	});
});

describe("signalProcess", () => {
	test("signals a process, and says false when there is none any more", async () => {
		const child = start();
		const exit = once(child, "exit");
		expect(signalProcess(child.pid as number, "SIGTERM")).toBe(true);
		expect(await exit).toStrictEqual([null, "SIGTERM"]);
		expect(signalProcess(child.pid as number, "SIGTERM")).toBe(false);
	});

	test("signals a whole group by its negative id", async () => {
		const leader = spawn("sh", ["-c", "sleep 60 & wait"], { detached: true, stdio: "ignore" });
		const pid = leader.pid as number;
		onTestFinished(() => void signalProcess(-pid, "SIGKILL"));
		await vi.waitFor(() => expect(processTree(listProcesses(), pid)).toHaveLength(2), {
			timeout: 60_000,
			interval: 10,
		});
		const exit = once(leader, "exit");
		expect(signalProcess(-pid, "SIGKILL")).toBe(true);
		expect(await exit).toStrictEqual([null, "SIGKILL"]);
		await vi.waitFor(
			() => expect(processTree(listProcesses(), pid).filter(({ zombie }) => !zombie)).toStrictEqual([]),
			{ timeout: 60_000, interval: 10 },
		);
	});
});
