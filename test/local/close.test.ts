import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { listProcesses } from "../../src/process/table.ts";
import { behaves, fixture, rejection, runtimes, startLambda, until } from "./lambda.ts";

const isAlive = (pid: number): boolean => listProcesses().some((entry) => entry.pid === pid && !entry.zombie);

describe.each(runtimes)("closing, with the runtime $name,", ({ runtime, skip }) => {
	test.skipIf(skip)("ends every environment: frozen, busy and new", async () => {
		const lambda = await startLambda(
			{ waits: { handler: behaves, exportName: "waits", timeoutMs: 60_000 } },
			{ runtime },
		);
		await lambda.invoke("waits", { ms: 0 });
		const running = [1, 2].map(async () => await rejection(lambda.invoke("waits", { ms: 50_000 })));
		await until(() => lambda.environments("waits").some(({ state }) => state === "busy"), "an invocation runs");
		running.push(rejection(lambda.invoke("waits", { ms: 50_000 })));
		await lambda.close();
		expect(lambda.survivors()).toEqual([]);
		await Promise.all(running);
		expect(await rejection(lambda.invoke("waits"))).toMatchObject({ code: "ECONNREFUSED" });
	});
});

const host = `
	import { startLocalLambda } from ${JSON.stringify(fileURLToPath(new URL("../../src/local/index.ts", import.meta.url)))};
	const [handler, freeze, how] = process.argv.slice(1);
	const lambda = await startLocalLambda({ functions: { echo: { handler, freeze: freeze === "frozen" } } });
	const response = await fetch(lambda.endpoint + "/2015-03-31/functions/echo/invocations", { method: "POST" });
	const { pid } = await response.json();
	const waitUntilIdle = () => lambda.environments("echo")[0].state === "idle" ? undefined : new Promise((done) => setTimeout(done, 5)).then(waitUntilIdle);
	await waitUntilIdle();
	process.stdout.write(String(pid));
	if (how === "exit") process.exit();
	if (how === "throw") setTimeout(() => { throw new Error("the host fails"); });
`;

describe("an environment ends with its host", () => {
	test.each([
		["frozen", "exit"],
		["frozen", "throw"],
		["frozen", "SIGINT"],
		["frozen", "SIGTERM"],
		["running", "SIGTERM"],
		["running", "SIGKILL"],
	])("%s, when the host ends by %s", async (freeze, how) => {
		const folder = await mkdtemp(join(tmpdir(), "host-"));
		onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
		const child = spawn(process.execPath, ["--input-type=module", "-e", host, fixture("echo.mjs"), freeze, how], {
			stdio: ["ignore", "pipe", "ignore"],
			env: { ...process.env, TMPDIR: folder },
		});
		const exited = once(child, "exit");
		const [chunk] = (await once(child.stdout, "data")) as [Buffer];
		const pid = Number(chunk.toString());
		expect(pid).toBeGreaterThan(0);
		if (how.startsWith("SIG")) {
			expect(isAlive(pid)).toBe(true);
			child.kill(how as NodeJS.Signals);
		}
		const [, signal] = await exited;
		expect(signal).toBe(how.startsWith("SIG") ? how : null);
		await until(() => !isAlive(pid), "the environment has ended");
		if (how !== "SIGKILL") expect(await readdir(folder)).toEqual([]);
	});
});
