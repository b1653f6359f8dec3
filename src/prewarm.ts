import { startDeadline } from "./deadline.ts";
import { McpStdioError } from "./errors.ts";
import { tell } from "./observer.ts";
import { type LifetimeOptions, resolveLifetimeOptions } from "./options.ts";
import type { StdioServerParams } from "./params.ts";
import { closeServers, serverFor } from "./server/registry.ts";

/** Lambda's INIT phase ends after 10 s: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html */
const initMs = 10_000;
const prewarmMs = 9000;

/** INIT may take at least 130 s for these, by the same page, and no caller waits for it. */
const longInits: ReadonlySet<string> = new Set(["provisioned-concurrency", "snap-start", "lambda-managed-instances"]);
const longPrewarmMs = 120_000;

/** How long prewarming may take. INIT began with this process: what the module did before has used up some of it. */
export function prewarmLimitMs(initializationType: string | undefined, processAgeMs: number): number {
	if (initializationType === undefined) return prewarmMs;
	if (longInits.has(initializationType)) return longPrewarmMs;
	return processAgeMs < initMs ? Math.max(0, prewarmMs - processAgeMs) : prewarmMs;
}

/**
 * Starts what the first request will need: the standbys of the lifetime `"request"`, the process of `"environment"`. Made
 * for Lambda's INIT phase, where it costs nobody's time.
 *
 * Resolves to `undefined` when they are ready, and to the error when they failed, which the first request then tries again.
 * Gives up 9 s after the start of INIT, so that Lambda does not end it (after 2 minutes where INIT may take longer: provisioned
 * concurrency, SnapStart, Managed Instances), or after 9 s outside of Lambda; what starts goes on starting, and the first
 * request waits for it. Never rejects for what a server does.
 */
export async function prewarmStdioServer(
	params: StdioServerParams,
	options: LifetimeOptions = {},
): Promise<McpStdioError | undefined> {
	const server = serverFor(params);
	const resolved = resolveLifetimeOptions(options);
	const deadline = startDeadline({
		timeoutMs: prewarmLimitMs(process.env.AWS_LAMBDA_INITIALIZATION_TYPE, performance.now()),
		deadline: undefined,
		deadlineReserveMs: 0,
		signal: undefined,
	});
	try {
		await server.prewarm(resolved, deadline.signal);
		return undefined;
	} catch (error) {
		if (!(error instanceof McpStdioError)) throw error;
		tell(resolved.observer, "failure", { server: server.name, error });
		return error;
	} finally {
		deadline.clear();
	}
}

/**
 * Ends every child process of one server, or of all, with everything they started. Resolves when nothing is left of them.
 * Requests that are in flight or waiting fail with ABORTED; a later request starts the server anew.
 */
export async function closeStdioServers(params?: StdioServerParams): Promise<void> {
	await closeServers(params);
}
