import { startDeadline } from "./deadline.ts";
import { McpStdioError } from "./errors.ts";
import { tell } from "./observer.ts";
import { type LifetimeOptions, resolveLifetimeOptions } from "./options.ts";
import type { StdioServerParams } from "./params.ts";
import { closeServers, serverFor } from "./server/registry.ts";

/** Lambda's INIT phase ends after 10 s: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html */
const defaultPrewarmMs = 9000;

/**
 * Starts what the first request will need: the standbys of the lifetime `"request"`, the process of `"environment"`. Made
 * for Lambda's INIT phase, where it costs nobody's time.
 *
 * Resolves to `undefined` when they are ready, or after 9 s at the latest; what starts goes on starting. Resolves to the
 * error when they failed, which the first request then tries again. Never rejects for what a server does.
 */
export async function prewarmStdioServer(
	params: StdioServerParams,
	options: LifetimeOptions = {},
): Promise<McpStdioError | undefined> {
	const server = serverFor(params);
	const resolved = resolveLifetimeOptions(options);
	const deadline = startDeadline({
		timeoutMs: defaultPrewarmMs,
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
