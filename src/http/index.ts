/**
 * MCP over HTTP, for any server that speaks web `Request` and `Response`.
 *
 * @module mcp-stdio-lambda/http
 */

import { requireNode } from "../node-version.ts";

export { createMcpFetch, type McpFetchOptions } from "./fetch.ts";
export type { HttpOptions, ResourceMetadata, ServerCard } from "./options.ts";

requireNode();
