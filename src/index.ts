/**
 * The core: one JSON-RPC message through a stdio MCP server, and what names such a server.
 *
 * @module mcp-stdio-lambda
 */

import { requireNode } from "./node-version.ts";

export { fromHostConfig, type HostConfigOptions } from "./commands/desktop-config.ts";
export { type NpmServerOptions, npmServer } from "./commands/npm-server.ts";
export type { CommandOptions } from "./commands/options.ts";
export { type PythonServerOptions, pythonServer } from "./commands/python-server.ts";
export type { DeadlineSource } from "./deadline.ts";
export { McpStdioError, type McpStdioErrorCode, type McpStdioErrorData, type McpStdioPhase } from "./errors.ts";
export type {
	JsonRpcErrorResponse,
	JsonRpcNotification,
	JsonRpcRequest,
	JsonRpcResponse,
	JsonRpcResultResponse,
	RequestId,
} from "./jsonrpc.ts";
export type { ExitReason, Observer, ServerProcessInfo, SessionSource } from "./observer.ts";
export type { Lifetime, LifetimeOptions, StdioRequestOptions } from "./options.ts";
export type { StdioServerParams } from "./params.ts";
export { closeStdioServers, prewarmStdioServer } from "./prewarm.ts";
export { runStdioRequest } from "./run.ts";

requireNode();
