/**
 * For callers: the transport that reaches a function, its errors and retries, and a `fetch` that signs.
 *
 * @module mcp-stdio-lambda/client
 */

import { requireNode } from "../node-version.ts";

export type { Execution, LambdaTransportErrorCode } from "./errors.ts";
export { LambdaTransportError } from "./errors.ts";
export type { LambdaTransportObserver, SentMessage } from "./observer.ts";
export type { LambdaFunctionParameters } from "./parameters.ts";
export type { RetryEvent, RetryOptions } from "./retry.ts";
export { createRetryBudget, type RetryBudget } from "./retry-budget.ts";
export { createSigV4Fetch, type SigV4FetchOptions } from "./sigv4/fetch.ts";
export { LambdaFunctionClientTransport, type TransportMessage, type TransportSendOptions } from "./transport.ts";

requireNode();
