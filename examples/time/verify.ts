// Runs what would be deployed in a local Lambda, and asserts what three clients get from it: ours, the MCP SDK's own over
// stdio (what the server says without a function around it), and the Python client of AWS's package.
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { LambdaFunctionClientTransport } from "mcp-stdio-lambda/client";
import { type LocalLambda, startLocalLambda } from "mcp-stdio-lambda/local";
import { createReadOnlyFolder } from "../infrastructure/read-only-folder.ts";
import { readSynthesisedFunction } from "../infrastructure/synthesised.ts";
import { assertBetween, assertConversion, assertMoment, type Conversion, type Moment } from "./verify/clock.ts";
import { buildImage, environmentFolder, lintDockerfile, taskFolder } from "./verify/image.ts";
import { assertWheels, buildLayer } from "./verify/layer.ts";
import { createEnvironment, findPython, output } from "./verify/python.ts";

const region = "us-east-1";
const timezone = "America/New_York";
const conversion = { source_timezone: timezone, time: "09:30", target_timezone: "Asia/Kolkata" };
const here = dirname(fileURLToPath(import.meta.url));

const python = await findPython();
if (python) {
	const folder = await mkdtemp(join(tmpdir(), "example-time-"));
	try {
		await verify(python, folder);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
} else {
	skip("there is no python3 3.11 or later with pip and venv on PATH; install it to try the time example");
}

/** Says what is not verified; where everything must be, that is a failure. */
function skip(reason: string): void {
	console.log(`SKIPPED: ${reason}`);
	if (process.env.CI === "true") process.exitCode = 1;
}

async function verify(python: string, folder: string): Promise<void> {
	const { assetFolder } = readSynthesisedFunction("time");
	const tools = await createEnvironment(python, join(folder, "tools"), ["-r", join(here, "verify/requirements.txt")]);
	const tool = (name: string) => join(dirname(tools), name);

	await lintDockerfile(tool("hadolint"), assetFolder);
	await buildImage(python, assetFolder, join(folder, "deployed"));
	console.log("built what the image has, from the asset of the stack");

	await assertWheels(tool("uv"));
	const hasLayer = await buildLayer(python, tool("uv"), join(folder, "deployed/layer"));
	if (hasLayer) console.log("built the layer, around this machine's Python");
	else skip("the layer cannot be built around this machine's Python");

	const deployed = createReadOnlyFolder(join(folder, "deployed"));
	const home = createReadOnlyFolder();
	try {
		await using lambda = await startFunctions(deployed.path, home.path);
		const interpreter = join(deployed.path, environmentFolder, "bin/python3");
		await assertAnswers(lambda, "time", interpreter);
		if (hasLayer) await assertAnswers(lambda, "time-layer", interpreter);
		await assertPythonClient(lambda, tools);
		for (const functionName of ["time-request", "time-environment"]) await printFigures(lambda, functionName);
		await lambda.close();
		strictEqual((await output("ps", ["-eo", "args"])).includes(deployed.path), false);
		for (const untouched of [deployed, home]) untouched.assertUntouched();
		console.log("nothing was written to the function's disk, and no process is left");
	} finally {
		for (const created of [deployed, home]) created.remove();
	}
}

/** The function as its stack has it, in the image and as a zip with the layer; and the image with each lifetime. */
async function startFunctions(folder: string, home: string): Promise<LocalLambda> {
	const { handler, settings, environment } = readSynthesisedFunction("time");
	const fn = (python: string, variables: Readonly<Record<string, string>> = {}) => ({
		...settings,
		handler: join(folder, taskFolder, handler),
		environment: { ...environment, HOME: home, VIRTUAL_ENV: join(folder, python), ...variables },
	});
	return await startLocalLambda({
		region,
		concurrency: 100,
		functions: {
			time: fn(environmentFolder),
			"time-layer": fn("layer/python"),
			"time-request": fn(environmentFolder, { LIFETIME: "request" }),
			"time-environment": fn(environmentFolder, { LIFETIME: "environment" }),
		},
		onLog: ({ message }) => {
			if (!/^(START|END|REPORT) /.test(message)) console.log(`    ${message}`);
		},
	});
}

async function assertAnswers(lambda: LocalLambda, functionName: string, interpreter: string): Promise<void> {
	const args = ["-m", "mcp_server_time", "--local-timezone", timezone];
	const direct = await connect(new StdioClientTransport({ command: interpreter, args, stderr: "ignore" }));
	const client = await connect(lambdaTransport(lambda, functionName));
	deepStrictEqual(client.getServerVersion(), direct.getServerVersion());

	const listed = await client.listTools();
	deepStrictEqual(listed, await direct.listTools());
	deepStrictEqual(
		listed.tools.map(({ name }) => name),
		["get_current_time", "convert_time"],
	);
	ok(JSON.stringify(listed).includes(`Use '${timezone}' as local timezone`));

	const askedAt = Date.now();
	const now = await client.callTool({ name: "get_current_time", arguments: { timezone } });
	assertMoment(now.structuredContent as Moment, timezone);
	assertBetween(now.structuredContent as Moment, askedAt, Date.now());

	const converted = await client.callTool({ name: "convert_time", arguments: conversion });
	deepStrictEqual(converted, await direct.callTool({ name: "convert_time", arguments: conversion }));
	assertConversion(converted.structuredContent as Conversion, conversion);
	console.log(`our client, ${functionName}: ${JSON.stringify(now.structuredContent)}`);

	// The server requires a timezone, names the local one to the model, and refuses a timezone that does not exist.
	for (const wrong of [{}, { timezone: "Mars/Olympus" }]) {
		const refused = await client.callTool({ name: "get_current_time", arguments: wrong });
		strictEqual(refused.isError, true);
		deepStrictEqual(refused, await direct.callTool({ name: "get_current_time", arguments: wrong }));
	}
	const unknown = { name: "get_sunrise", arguments: {} };
	deepStrictEqual(await errorOf(client.callTool(unknown)), await errorOf(direct.callTool(unknown)));
	console.log(`our client, ${functionName}: what the server refuses fails as it does without a function`);
	await Promise.all([client.close(), direct.close()]);
}

async function assertPythonClient(lambda: LocalLambda, interpreter: string): Promise<void> {
	const args = [join(here, "verify/client.py"), "time", region, "convert_time", JSON.stringify(conversion)];
	const results = JSON.parse(
		await output(interpreter, args, {
			AWS_ENDPOINT_URL_LAMBDA: lambda.endpoint,
			AWS_ACCESS_KEY_ID: "local",
			AWS_SECRET_ACCESS_KEY: "local",
		}),
	);
	const client = await connect(lambdaTransport(lambda, "time"));
	deepStrictEqual(results.initialize.serverInfo, client.getServerVersion());
	deepStrictEqual(results["tools/list"].tools, (await client.listTools()).tools);
	deepStrictEqual(results["tools/call"], await client.callTool({ name: "convert_time", arguments: conversion }));
	await client.close();
	console.log(`the Python client: ${JSON.stringify(results["tools/call"].structuredContent)}`);
}

async function printFigures(lambda: LocalLambda, functionName: string): Promise<void> {
	const client = new Client({ name: "verify", version: "1.0.0" });
	const coldMs = await measure(() => client.connect(lambdaTransport(lambda, functionName)));
	const calls: number[] = [];
	for (let call = 0; call < 10; call += 1) {
		calls.push(await measure(() => client.callTool({ name: "convert_time", arguments: conversion })));
	}
	await client.close();
	const [first = 0] = calls;
	const median = calls.toSorted((a, b) => a - b)[5] ?? 0;
	const figures = [
		`cold start ${coldMs}`,
		`first call ${first}`,
		`median of ten calls, one after the other, ${median}`,
	];
	console.log(`${functionName}: ${figures.join(" ms, ")} ms`);
}

function lambdaTransport({ endpoint }: LocalLambda, functionName: string): Transport {
	const credentials = { accessKeyId: "local", secretAccessKey: "local" };
	return new LambdaFunctionClientTransport({ functionName, regionName: region, endpoint, credentials });
}

async function connect(transport: Transport): Promise<Client> {
	const client = new Client({ name: "verify", version: "1.0.0" });
	await client.connect(transport);
	return client;
}

async function errorOf(call: Promise<unknown>): Promise<unknown> {
	const error = await call.then(
		() => undefined,
		(thrown) => thrown,
	);
	ok(error instanceof Error);
	return { ...error, message: error.message };
}

async function measure(work: () => Promise<unknown>): Promise<number> {
	const startedAt = performance.now();
	await work();
	return Math.round(performance.now() - startedAt);
}
