import { createRuntimeClient, type RuntimeClient } from "./client.ts";
import { patchConsole } from "./console.ts";
import { createContext } from "./context.ts";
import { logError } from "./error.ts";
import { type LoadedHandler, loadHandler, type StreamingHandler } from "./handler.ts";
import { installInvokeStore, invokeStoreKeys } from "./invoke-store.ts";
import { createStreamOpener, type StreamedResponse } from "./stream.ts";
import { installStreaming } from "./streaming.ts";

// The program of an execution environment: it loads the handler and runs it for one invocation after the other, as AWS's
// runtime interface client 4 does (https://github.com/aws/aws-lambda-nodejs-runtime-interface-client). What neither
// handles ends the process: an exception outside the handler, an unhandled rejection, and an event loop that runs empty
// while the handler's promise is pending.

async function runRuntime(): Promise<void> {
	const store = installInvokeStore();
	installStreaming();
	patchConsole(store);
	const address = requireVariable("AWS_LAMBDA_RUNTIME_API");
	const client = createRuntimeClient(address);
	const handler = await initialize(client);
	const openStream = createStreamOpener(address, handler.kind === "streaming" ? handler.highWaterMark : undefined);
	for (;;) {
		const { headers, body } = await client.next();
		const context = createContext(headers);
		const { awsRequestId, xRayTraceId } = context;
		if (xRayTraceId === undefined) delete process.env._X_AMZN_TRACE_ID;
		else process.env._X_AMZN_TRACE_ID = xRayTraceId;
		const event: unknown = JSON.parse(body);
		const stored = { [invokeStoreKeys.requestId]: awsRequestId, [invokeStoreKeys.xRayTraceId]: xRayTraceId };
		await store.run(stored, async () => {
			if (handler.kind === "streaming") {
				await runStreaming(handler.handle, event, context, openStream(awsRequestId));
			} else {
				await client.post(awsRequestId, await runHandler(() => handler.handle(event, context)));
			}
		});
	}
}

async function initialize(client: RuntimeClient): Promise<LoadedHandler> {
	try {
		return await loadHandler(requireVariable("LAMBDA_TASK_ROOT"), requireVariable("_HANDLER"));
	} catch (error) {
		logError("Init Error", error);
		await client.postInitError(error);
		throw error;
	}
}

async function runHandler(run: () => unknown): Promise<{ result: string } | { error: unknown }> {
	try {
		const result = stringify(await run());
		// What the handler left for this turn of the event loop is still done before the answer.
		await new Promise((resolve) => setImmediate(resolve));
		return { result };
	} catch (error) {
		await new Promise((resolve) => setImmediate(resolve));
		logError("Invoke Error", error);
		return { error };
	}
}

async function runStreaming(
	handle: StreamingHandler,
	event: unknown,
	context: unknown,
	{ stream, done, fail }: StreamedResponse,
): Promise<void> {
	try {
		const returned = handle(event, stream, context);
		if (!isThenable(returned)) throw new Error("Streaming does not support non-async handlers.");
		if ((await returned) !== undefined) console.warn("Streaming handlers ignore return values.");
		// A handler that returns before its stream has ended keeps the invocation running.
		await done;
		if (!stream.writableFinished) throw new Error("Response stream is not finished.");
	} catch (error) {
		await new Promise((resolve) => setImmediate(resolve));
		logError("Invoke Error", error);
		await fail(error);
	}
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
	return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

function stringify(result: unknown): string {
	try {
		// JSON has no undefined; what it leaves out at the top (a function, a symbol) is no answer either.
		return JSON.stringify(result === undefined ? null : result) ?? "null";
	} catch {
		throw Object.assign(new Error("Unable to stringify response body"), { name: "Runtime.JSONStringifyError" });
	}
}

function requireVariable(name: string): string {
	const value = process.env[name];
	if (value) return value;
	throw Object.assign(new Error(`${name} environment variable is not set`), { name: "Runtime.PlatformError" });
}

// Not awaited at the top level: an event loop that runs empty must end the process with 0, not with 13.
void runRuntime();
