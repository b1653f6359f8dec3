import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { root } from "../docs/snippets.ts";

test("npm start -- --serve keeps a URL open for MCP clients, until Ctrl-C", async () => {
	const demo = spawn(process.execPath, ["examples/local/start.mjs", "--serve"], { cwd: root });
	const exited = once(demo, "exit");
	onTestFinished(async () => {
		demo.kill("SIGINT");
		await exited;
	});
	let printed = "";
	demo.stdout.setEncoding("utf8").on("data", (text: string) => {
		printed += text;
	});
	const url = () => /until Ctrl-C: (http:\S+)/.exec(printed)?.[1];
	await expect.poll(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/);
	const lines = printed.trimEnd().split("\n");
	expect(lines.length).toBeLessThanOrEqual(23);
	// The last two have the URL.
	for (const line of lines.slice(0, -2)) expect(line.length, line).toBeLessThanOrEqual(100);
	const response = await fetch(url() as string, {
		method: "POST",
		headers: { "Content-Type": "application/json", Accept: "application/json, text/event-stream" },
		body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }),
	});
	expect((await response.json()) as object).toMatchObject({ result: { tools: expect.any(Array) } });
	demo.kill("SIGINT");
	expect(await exited).toEqual([0, null]);
});
