// The official conformance suite against the stdio server beside this file, through each way in that speaks HTTP.
//   node test/conformance/run.ts FOLDER      where @modelcontextprotocol/conformance is installed
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { closeStdioServers } from "mcp-stdio-lambda";
import { createMcpFetch } from "mcp-stdio-lambda/http";
import { startLocalLambda } from "mcp-stdio-lambda/local";
import { toNodeHandler } from "srvx/node";

const requirements = "2025-11-25";
/** All are scenarios of the requirement set; the four of the baseline fail. */
const required = 30;
const baseline = file("baseline-2025-11-25.yml");
const params = { command: process.execPath, args: [file("server.mjs")] };

type Front = { readonly url: string; readonly close: () => Promise<void> };

const fronts: { readonly [name: string]: () => Promise<Front> } = {
	"createMcpFetch, lifetime request": () => serve("request"),
	"createMcpFetch, lifetime environment": () => serve("environment"),
	"a Function URL": () => functionUrl("middleware.mjs", false),
	"a Function URL that streams": () => functionUrl("middleware-streaming.mjs", true),
};

function file(name: string): string {
	return fileURLToPath(new URL(name, import.meta.url));
}

async function serve(lifetime: "request" | "environment"): Promise<Front> {
	const handler = toNodeHandler(createMcpFetch(params, { lifetime, path: "/mcp" }));
	const server = createServer(handler as RequestListener);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
		close: async () => {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
			await closeStdioServers();
		},
	};
}

/** The middleware, in the local Lambda. */
async function functionUrl(handler: string, streaming: boolean): Promise<Front> {
	const environment = { SERVER: JSON.stringify(params.args), LIFETIME: "request" };
	const fn = { handler: file(`../fixtures/functions/${handler}`), environment, timeoutMs: 60_000, memorySizeMb: 1024 };
	const fronts = { url: { kind: "functionUrl", functionName: "mcp", streaming } } as const;
	const lambda = await startLocalLambda({ functions: { mcp: fn }, fronts });
	return { url: `${lambda.urls.url}mcp`, close: lambda.close };
}

/** Runs the suite; its own exit code tells of failures that are not in the baseline, and of those that are and pass. */
async function conformance(
	folder: string,
	url: string,
	results: string,
): Promise<{ code: number | null; output: string }> {
	const main = join(folder, "node_modules/@modelcontextprotocol/conformance/dist/index.js");
	const options = [
		"--requirements",
		requirements,
		"--expected-failures",
		baseline,
		"-o",
		results,
		"--timeout",
		"60000",
	];
	const suite = spawn(process.execPath, [main, "server", "--url", url, ...options], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	let output = "";
	suite.stdout.setEncoding("utf8").on("data", (text: string) => {
		output += text;
	});
	const code = await new Promise<number | null>((resolve) => suite.once("exit", resolve));
	return { code, output };
}

const folder = process.argv[2];
if (folder === undefined) throw new Error("Say where @modelcontextprotocol/conformance is installed");
const results = await mkdtemp(join(tmpdir(), "conformance-"));
try {
	for (const [name, start] of Object.entries(fronts)) {
		const front = await start();
		const { code, output } = await conformance(folder, front.url, results);
		await front.close();
		const summary = output.slice(Math.max(0, output.indexOf("=== SUMMARY ===")));
		const run = output.match(/^=== Running scenario: /gm)?.length ?? 0;
		console.log(`${name}\n${summary}`);
		if (run < required) throw new Error(`Only ${run} scenarios of ${required} were run`);
		if (code !== 0) throw new Error(`${name}: the suite ended with ${code}`);
	}
} finally {
	await rm(results, { recursive: true, force: true });
}
