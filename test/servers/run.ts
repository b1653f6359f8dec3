// npm run servers [-- --all | --only name,name] [--table]
// Installs servers as their READMEs say, runs each by `fromHostConfig` in both lifetimes, and compares its tools and an offline call
// with the plain pipe. --table writes docs/servers.md. The default are the few that CI tries.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
	closeStdioServers,
	fromHostConfig,
	type JsonRpcResponse,
	type Lifetime,
	runStdioRequest,
	type StdioServerParams,
} from "../../src/index.ts";
import { listProcesses, processTree } from "../../src/process/table.ts";
import { type PublishedServer, servers } from "./list.ts";
import { openPipe } from "./pipe.ts";

const { values } = parseArgs({
	options: { all: { type: "boolean" }, only: { type: "string" }, table: { type: "boolean" } },
});
const only = values.only?.split(",");
const chosen = servers.filter(({ name, inCi }) => (only ? only.includes(name) : values.all || inCi));

type Row = {
	readonly server: PublishedServer;
	readonly startMs: number;
	readonly memoryMb: number;
	readonly tools: number;
};

const folder = mkdtempSync(join(tmpdir(), "servers-"));
const rows: Row[] = [];
const failures: string[] = [];

for (const server of chosen) {
	try {
		const row = await tryServer(server);
		rows.push(row);
		console.log(`${server.name}: equal to the pipe, ${row.tools} tools, start ${row.startMs} ms, ${row.memoryMb} MB`);
	} catch (error) {
		failures.push(server.name);
		console.log(`${server.name}: ${error instanceof Error ? error.message.slice(0, 1500) : String(error)}`);
	} finally {
		await closeStdioServers();
	}
}

rmSync(folder, { recursive: true, force: true });
console.log(
	`${rows.length} servers are equal to the plain pipe, ${failures.length} are not: ${failures.join(", ") || "none"}`,
);
if (values.table) writeFileSync(new URL("../../docs/servers.md", import.meta.url), page(rows));
if (failures.length > 0 || rows.length === 0) process.exitCode = 1;

async function tryServer(server: PublishedServer): Promise<Row> {
	const place = install(server);
	const config = { mcpServers: { [server.name]: server.entry } };
	const params = fromHostConfig(config, server.name, { from: place });
	const requests = [
		{ jsonrpc: "2.0", id: 1, method: "tools/list" },
		...(server.call ? [{ jsonrpc: "2.0", id: 2, method: "tools/call", params: server.call }] : []),
	];
	const pipe = await openPipe(params);
	const { startMs, memoryMb } = { startMs: pipe.startMs, memoryMb: memoryOf(pipe.pid) };
	const expected = [];
	for (const request of requests) expected.push(await pipe.request(request));
	await pipe.close();
	for (const lifetime of ["request", "environment"] as const) {
		for (const [index, request] of requests.entries()) {
			const response = await run(params, request, lifetime);
			assert.deepEqual(
				comparable(response),
				comparable(expected[index]),
				`${request.method} in the lifetime ${lifetime}`,
			);
		}
	}
	const { tools } = (expected[0] as { result: { tools: unknown[] } }).result;
	return { server, startMs, memoryMb, tools: tools.length };
}

async function run(
	params: StdioServerParams,
	request: object,
	lifetime: Lifetime,
): Promise<JsonRpcResponse | undefined> {
	return await runStdioRequest(params, request, { lifetime, standby: 0, timeoutMs: 90_000, observer: {} });
}

/** What two processes of one server may differ in is the time that they write into a text. */
function comparable(response: unknown): unknown {
	return JSON.parse(JSON.stringify(response).replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)/g, "(a time)"));
}

function install({ from, install: what, name }: PublishedServer): string {
	const place = join(folder, name);
	mkdirSync(place);
	if (from === "npm") {
		writeFileSync(join(place, "package.json"), '{ "private": true }');
		execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", what], {
			cwd: place,
			stdio: "pipe",
		});
	} else {
		execFileSync("python3", ["-m", "venv", join(place, ".venv")], { stdio: "pipe" });
		execFileSync(
			join(place, ".venv/bin/pip"),
			["install", "--quiet", "--disable-pip-version-check", ...what.split(" ")],
			{
				stdio: "pipe",
			},
		);
	}
	return place;
}

function memoryOf(pid: number): number {
	const kilobytes = processTree(listProcesses(), pid).map((entry) => {
		const status = readFileSync(`/proc/${entry.pid}/status`, "latin1");
		return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
	});
	return Math.round(kilobytes.reduce((sum, each) => sum + each, 0) / 1024);
}

function page(rows: readonly Row[]): string {
	const lines = rows.map(({ server: { name, install: what, fits, call }, startMs, memoryMb, tools }) => {
		const tried = call ? `\`tools/list\`, \`${call.name}\`` : "`tools/list`";
		return `| ${name} | \`${what}\` | ${tools} | ${tried} | ${startMs} ms | ${memoryMb} MB | \`${fits}\` |`;
	});
	return `# Servers that were tried

Each was installed as its README says, run by \`fromHostConfig\` from the configuration that people paste, and answered as over the plain
pipe, in both lifetimes: \`npm run servers -- --all --table\`, which writes this page. The start is from the spawn to the answer of
\`initialize\`, once, on two busy cores; the memory is that of the server and all it started, right after.

| server | package | tools | tried | start | memory | lifetime that fits |
| ------ | ------- | ----- | ----- | ----- | ------ | ------------------ |
${lines.join("\n")}

Take \`request\` where a tool leaves something in the process that the next caller must not see; what goes to a file or a database
survives in both ([choosing a lifetime](lifetime.md)). Those that need an account were started with a token that is none.
`;
}
