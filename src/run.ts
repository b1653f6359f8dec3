import { type Deadline, startDeadline } from "./deadline.ts";
import { McpStdioError } from "./errors.ts";
import { type JsonRpcRequest, type JsonRpcResponse, receiveMessage } from "./jsonrpc.ts";
import { tell } from "./observer.ts";
import { type ResolvedRequestOptions, resolveRequestOptions, type StdioRequestOptions } from "./options.ts";
import type { StdioServerParams } from "./params.ts";
import { type Initialize, ownAnswer } from "./protocol/answers.ts";
import { serverFor } from "./server/registry.ts";
import type { Server } from "./server/server.ts";
import { serverErrorBehind } from "./session/refusal.ts";
import { wasUndelivered } from "./session/waiting.ts";

/**
 * Forwards one JSON-RPC message to a stdio MCP server and resolves to its response.
 *
 * A request resolves to exactly one response or error with its own id: what the server answers, verbatim, or a
 * `McpStdioError` as a JSON-RPC error (`error.data.code` tells which). A notification resolves to `undefined` and starts
 * nothing. `initialize` is answered from a handshake that is made once, `ping` without a process.
 *
 * Never rejects for what came from outside. Throws a TypeError for a wrong param or option.
 *
 * @example
 * import { runStdioRequest } from "mcp-stdio-lambda";
 *
 * const response = await runStdioRequest(
 *   { command: "node", args: ["server.js"] },
 *   { jsonrpc: "2.0", id: 1, method: "tools/list" },
 * );
 */
export async function runStdioRequest(
	params: StdioServerParams,
	request: unknown,
	options: StdioRequestOptions = {},
): Promise<JsonRpcResponse | undefined> {
	return await runResolved(params, request, resolveRequestOptions(options));
}

/** What keeps a server's response from being passed on; `undefined` when nothing does. */
export type CheckResponse = (response: JsonRpcResponse) => McpStdioError | undefined;

/**
 * The same with options that are resolved: what belongs to a server once for all its requests, beside what is each request's own.
 * `check` comes before anything is told of the server's response.
 */
export async function runResolved(
	params: StdioServerParams,
	request: unknown,
	options: ResolvedRequestOptions,
	check?: CheckResponse,
): Promise<JsonRpcResponse | undefined> {
	const startedAt = performance.now();
	const server = serverFor(params);
	const received = receiveMessage(request);
	if (received.kind === "notification") return undefined;

	const fail = (error: McpStdioError, id: JsonRpcRequest["id"] | null, method?: string): JsonRpcResponse => {
		const full = error.with({ elapsedMs: Math.round(performance.now() - startedAt) });
		tell(options.observer, "failure", {
			server: server.name,
			error: full,
			requestId: id ?? undefined,
			method,
			correlation: options.correlation,
		});
		return full.toResponse(id, options.exposeStderr);
	};
	if (received.kind === "invalid") {
		const what = `Invalid request: ${received.problem}`;
		return fail(new McpStdioError("INVALID_MESSAGE", what, { data: { phase: "validate" } }), received.id);
	}

	const message = received.request;
	const deadline = startDeadline(options);
	try {
		const answer = ownAnswer(message.method);
		return answer
			? await answer(message, (version) => initialize(server, version, options, deadline))
			: await forward(server, message, options, deadline, startedAt, check);
	} catch (error) {
		if (!(error instanceof McpStdioError)) throw error;
		return fail(error, message.id, message.method);
	} finally {
		deadline.clear();
	}
}

async function initialize(
	server: Server,
	protocolVersion: string,
	options: ResolvedRequestOptions,
	{ signal }: Deadline,
): ReturnType<Initialize> {
	try {
		return { result: await server.initialize(protocolVersion, options, signal) };
	} catch (error) {
		const refusal = serverErrorBehind(error);
		if (refusal) return refusal;
		throw error;
	}
}

/** A request that provably never reached its process may be given to one other: it cannot run twice. */
const mostAttempts = 2;

async function forward(
	server: Server,
	request: JsonRpcRequest,
	options: ResolvedRequestOptions,
	{ signal }: Deadline,
	startedAt: number,
	check: CheckResponse | undefined,
): Promise<JsonRpcResponse> {
	const { observer, onNotification, correlation } = options;
	const { id: requestId, method } = request;
	for (let attempts = 1; ; attempts += 1) {
		const lease = await server.lease(options, signal);
		const { session } = lease;
		if (observer.request) {
			const waitedMs = performance.now() - startedAt;
			tell(observer, "request", {
				...session.info,
				requestId,
				method,
				source: lease.source,
				waitedMs,
				correlation,
			});
		}
		try {
			const answer = session.request({ request, signal, onNotification, observer, correlation });
			lease.sent();
			const response = await answer;
			const problem = check?.(response);
			if (problem) throw problem;
			if (observer.answer) {
				const outcome = "error" in response ? "error" : "result";
				const elapsedMs = performance.now() - startedAt;
				tell(observer, "answer", { ...session.info, requestId, method, outcome, elapsedMs, correlation });
			}
			return response;
		} catch (error) {
			if (!(error instanceof McpStdioError)) throw error;
			if (!wasUndelivered(error) || attempts === mostAttempts || signal.aborted) throw error.with({ attempts });
		} finally {
			lease.release(signal.aborted);
		}
	}
}
