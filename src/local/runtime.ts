import { createRuntimeClient, type RuntimeClient } from "./runtime-client.ts";
import { patchConsole } from "./runtime-console.ts";
import { createContext } from "./runtime-context.ts";
import { logError } from "./runtime-error.ts";
import { type Handler, loadHandler } from "./runtime-handler.ts";
import { installInvokeStore, invokeStoreKeys } from "./runtime-invoke-store.ts";

// The program of an execution environment: it loads the handler and runs it for one invocation after the other, as AWS's
// runtime interface client 4 does (https://github.com/aws/aws-lambda-nodejs-runtime-interface-client). What neither
// handles ends the process: an exception outside the handler, an unhandled rejection, and an event loop that runs empty
// while the handler's promise is pending.

async function runRuntime(): Promise<void> {
	const store = installInvokeStore();
	patchConsole(store);
	const client = createRuntimeClient(requireVariable("AWS_LAMBDA_RUNTIME_API"));
	const handler = await initialize(client);
	for (;;) {
		const { headers, body } = await client.next();
		const context = createContext(headers);
		const { awsRequestId, xRayTraceId } = context;
		if (xRayTraceId === undefined) delete process.env._X_AMZN_TRACE_ID;
		else process.env._X_AMZN_TRACE_ID = xRayTraceId;
		const event: unknown = JSON.parse(body);
		const stored = { [invokeStoreKeys.requestId]: awsRequestId, [invokeStoreKeys.xRayTraceId]: xRayTraceId };
		const outcome = await runHandler(() => store.run(stored, () => handler(event, context)));
		await client.post(awsRequestId, outcome);
	}
}

async function initialize(client: RuntimeClient): Promise<Handler> {
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
