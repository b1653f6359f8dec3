import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InvokeCommand, type InvokeCommandInput, LambdaClient } from "@aws-sdk/client-lambda";
import { onTestFinished, type TestContext } from "vitest";
import {
	type LocalFunctionOptions,
	type LocalLambda,
	type LocalLambdaEvent,
	type LocalLambdaLog,
	type LocalLambdaOptions,
	startLocalLambda,
} from "../../src/local/index.ts";
import { listProcesses } from "../../src/process/table.ts";

/** The folder in which aws-lambda-ric is installed; without it only our own runtime is tested. */
const ricPath: string | undefined = findRic(process.env.MCP_STDIO_LAMBDA_RIC);

export type Runtime = { readonly runtime: "own" | "aws"; readonly name: string; readonly skip: boolean };

/** For `describe.each`, with `skipIf`: what is promised of one runtime holds of both. */
export const runtimes: readonly Runtime[] = [
	{ runtime: "own", name: "own", skip: false },
	ricPath === undefined
		? { runtime: "aws", name: "aws, skipped: MCP_STDIO_LAMBDA_RIC names no folder with aws-lambda-ric", skip: true }
		: { runtime: "aws", name: "aws", skip: false },
];

export function fixture(name: string): string {
	return fileURLToPath(new URL(`../fixtures/functions/${name}`, import.meta.url));
}

export const behaves: string = fixture("behaves.mjs");
export const misbehaves: string = fixture("misbehaves.mjs");

type Invocation = {
	readonly status: number | undefined;
	readonly functionError: string | undefined;
	/** Parsed. */
	// biome-ignore lint/suspicious/noExplicitAny: the shape is what the test asserts.
	readonly payload: any;
	readonly log: string;
	readonly version: string | undefined;
	readonly requestId: string | undefined;
};

export type TestLambda = LocalLambda & {
	readonly client: LambdaClient;
	readonly logs: LocalLambdaLog[];
	readonly events: LocalLambdaEvent[];
	invoke(name: string, event?: unknown, input?: Partial<InvokeCommandInput>): Promise<Invocation>;
	/** Processes that an environment of this Lambda, or something it started, has left running. */
	survivors(): number[];
};

/** For functions whose INIT is not what is tested: longer than Lambda's, for a busy machine. */
const initTimeoutMs = 100_000;

/**
 * A Lambda with a client, which is closed when the test ends; the test fails when a process is left.
 *
 * @param test the test's context: needed when it runs beside others
 */
export async function startLambda(
	functions: Record<string, LocalFunctionOptions>,
	options: Omit<LocalLambdaOptions, "functions"> = {},
	test: Pick<TestContext, "onTestFinished"> = { onTestFinished },
): Promise<TestLambda> {
	const mark = randomUUID();
	const logs: LocalLambdaLog[] = [];
	const events: LocalLambdaEvent[] = [];
	const { NODE_COMPILE_CACHE = "" } = process.env;
	const marked = Object.entries(functions).map(([name, fn]) => [
		name,
		{ initTimeoutMs, ...fn, environment: { ...fn.environment, NODE_COMPILE_CACHE, TEST_MARK: mark } },
	]);
	const lambda = await startLocalLambda({
		...options,
		ricPath,
		functions: Object.fromEntries(marked),
		onLog: (log) => logs.push(log),
		onEvent: (event) => events.push(event),
	});
	const client = new LambdaClient({
		endpoint: lambda.endpoint,
		region: "us-east-1",
		credentials: { accessKeyId: "local", secretAccessKey: "local" },
		maxAttempts: 1,
	});
	const survivors = (): number[] =>
		listProcesses()
			.filter((entry) => !entry.zombie && readEnvironment(entry.pid).includes(mark))
			.map((entry) => entry.pid);
	test.onTestFinished(async () => {
		client.destroy();
		await lambda.close();
		const left = survivors();
		for (const pid of left) process.kill(pid, "SIGKILL");
		if (left.length > 0) throw new Error(`Processes are left: ${left.join(", ")}`);
	});
	return {
		...lambda,
		client,
		logs,
		events,
		survivors,
		invoke: async (name, event = {}, input = {}) => {
			const result = await client.send(
				new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(event), ...input }),
			);
			const payload = Buffer.from(result.Payload ?? []).toString();
			return {
				status: result.StatusCode,
				functionError: result.FunctionError,
				payload: payload === "" ? undefined : JSON.parse(payload),
				log: Buffer.from(result.LogResult ?? "", "base64").toString(),
				version: result.ExecutedVersion,
				requestId: result.$metadata.requestId,
			};
		},
	};
}

/**
 * A file for which handlers wait, until it is opened.
 *
 * @param test the test's context: needed when it runs beside others
 */
export async function createGate(
	test: Pick<TestContext, "onTestFinished"> = { onTestFinished },
): Promise<{ readonly gate: string; open(): Promise<void> }> {
	const folder = await mkdtemp(join(tmpdir(), "gate-"));
	test.onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
	const gate = join(folder, "open");
	return { gate, open: async () => await writeFile(gate, "") };
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Record<string, unknown>> {
	return await promise.then(
		() => {
			throw new Error("It did not reject");
		},
		(error) => error,
	);
}

export async function until(condition: () => boolean, what: string): Promise<void> {
	for (const deadline = performance.now() + 60_000; performance.now() < deadline; ) {
		if (condition()) return;
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
	throw new Error(`It took too long until ${what}`);
}

function readEnvironment(pid: number): string {
	try {
		return readFileSync(`/proc/${pid}/environ`, "latin1");
	} catch {
		return "";
	}
}

function findRic(folder: string | undefined): string | undefined {
	if (!folder) return undefined;
	createRequire(`${folder}/resolve.js`).resolve("aws-lambda-ric");
	return folder;
}
