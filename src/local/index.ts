/**
 * Lambda on this machine, for development and tests.
 *
 * @module mcp-stdio-lambda/local
 */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { requireNode } from "../node-version.ts";
import type { EnvironmentState } from "./event.ts";
import { type ListeningFront, startFront } from "./front/http/server.ts";
import { handleRequest } from "./front/invoke-api.ts";
import { sendServiceError, serviceFailed } from "./front/service-error.ts";
import { createFunctions, type LocalFunction } from "./function.ts";
import { type LocalLambdaOptions, resolveOptions } from "./options.ts";

export type { EnvironmentState, LocalLambdaEvent } from "./event.ts";
export type { LocalFrontOptions } from "./front/http/options.ts";
export { type LocalLambdaLog, printLog } from "./log.ts";
export type { LocalFunctionOptions, LocalLambdaOptions } from "./options.ts";

requireNode();

/** A running Lambda; `await using` closes it. */
export type LocalLambda = {
	/** For `endpoint` of the AWS SDK's LambdaClient, or AWS_ENDPOINT_URL_LAMBDA: `http://127.0.0.1:49152`. */
	readonly endpoint: string;
	/** Of the fronts, by name; each ends with a slash: `http://127.0.0.1:49153/prod/`. */
	readonly urls: { readonly [front: string]: string };
	/** The execution environments that a function has now; a TypeError for a function that does not exist. */
	environments(functionName: string): readonly LocalEnvironment[];
	/**
	 * Refuses further requests, breaks the connections of those that are answered now, and ends every environment with all
	 * its processes; resolves when nothing is left.
	 */
	close(): Promise<void>;
	[Symbol.asyncDispose](): Promise<void>;
};

/** What an execution environment was doing when it was asked for. */
export type LocalEnvironment = {
	/** Of the runtime process; `undefined` when there is none. */
	readonly pid: number | undefined;
	readonly state: EnvironmentState;
	/** Whether its processes are stopped. */
	readonly frozen: boolean;
	readonly logStreamName: string;
};

/**
 * Starts AWS Lambda on this machine: functions from built handler files, behind the Invoke API that the AWS SDK speaks:
 * Invoke, and InvokeWithResponseStream for what a handler streams (`awslambda.streamifyResponse`).
 *
 * It behaves as Lambda does where a function can notice. Each execution environment is a process of its own that takes
 * one invocation at a time; a new one starts when all others are busy, up to `concurrency`. The INIT phase has a limit
 * of its own. When the runtime asks for the next invocation, all processes of the environment are stopped, and continued
 * when there is one. A timeout, a crash or a failed INIT ends all processes; the next invocation starts them again.
 *
 * A streamed response reaches the client piece by piece while the handler runs, up to 200 MB; the last event of the
 * stream (`InvokeComplete`) says how it ended. A client that goes away does not end the invocation. Invoke gives the
 * whole stream as its payload, up to 6 MB.
 *
 * What differs: an environment's /tmp is a folder of its own, named by TMPDIR, and stays as long as the environment;
 * requests are not authenticated; an `Event` invocation waits for concurrency but is not retried after a function error;
 * memory is not limited beyond the heap of Node.js, nor is the bandwidth of a stream; nothing is isolated: handlers run
 * as the user who started this.
 *
 * Nothing outlives the host, unless the host is killed with SIGKILL: then frozen environments stay stopped, what a
 * handler had started is left to itself, and the temporary folders stay. POSIX systems only.
 *
 * Rejects with a `TypeError` for a bad option, and with an `Error` when the port is taken or the AWS runtime is asked
 * for and not installed.
 *
 * @example
 * ```ts
 * import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
 * import { startLocalLambda } from "mcp-stdio-lambda/local";
 *
 * const lambda = await startLocalLambda({
 * 	functions: { everything: { handler: "dist/handler.mjs", timeoutMs: 30_000, memorySizeMb: 512 } },
 * });
 * const client = new LambdaClient({
 * 	endpoint: lambda.endpoint,
 * 	region: "us-east-1",
 * 	credentials: { accessKeyId: "local", secretAccessKey: "local" },
 * });
 * const result = await client.send(new InvokeCommand({ FunctionName: "everything", Payload: '{"ping":true}' }));
 * await lambda.close();
 * ```
 */
export async function startLocalLambda(options: LocalLambdaOptions): Promise<LocalLambda> {
	const resolved = resolveOptions(options);
	const functions = createFunctions(resolved);

	const server = createServer({ requestTimeout: 0 }, (request, response) => {
		handleRequest(functions, request, response).catch(() => {
			if (response.headersSent) response.destroy();
			else sendServiceError(response, serviceFailed);
		});
	});
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject).listen(resolved.port, resolved.host, resolve);
	});

	const fronts = new Map<string, ListeningFront>();
	let closing: Promise<void> | undefined;
	const close = (): Promise<void> => {
		closing ??= (async () => {
			const stopped = new Promise((resolve) => server.close(resolve));
			server.closeAllConnections();
			await Promise.all([...fronts.values()].map((front) => front.close()));
			await Promise.all([...functions.values()].map((fn) => fn.close()));
			await stopped;
		})();
		return closing;
	};

	try {
		for (const front of resolved.fronts) {
			fronts.set(
				front.name,
				await startFront(front, functions.get(front.functionName) as LocalFunction, resolved.host),
			);
		}
	} catch (error) {
		await close();
		throw error;
	}

	const { port } = server.address() as AddressInfo;
	const host = resolved.host.includes(":") ? `[${resolved.host}]` : resolved.host;
	return {
		endpoint: `http://${host}:${port}`,
		urls: Object.fromEntries([...fronts].map(([name, { url }]) => [name, url])),
		environments: (functionName) => {
			const fn = functions.get(functionName);
			if (!fn)
				throw new TypeError(`There is no function ${functionName}; there are ${[...functions.keys()].join(", ")}`);
			return fn.environments.map(({ pid, state, frozen, logStreamName }) => ({ pid, state, frozen, logStreamName }));
		},
		close,
		[Symbol.asyncDispose]: close,
	};
}
