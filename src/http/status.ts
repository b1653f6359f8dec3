import type { McpStdioErrorCode } from "../errors.ts";

// An answer of 4xx makes some clients take the endpoint for one of an older protocol: failures of the bridge are 5xx.
const statuses: { readonly [code in McpStdioErrorCode]: number } = {
	INVALID_JSON: 400,
	INVALID_MESSAGE: 400,
	SPAWN_FAILED: 502,
	HANDSHAKE_FAILED: 502,
	SERVER_EXITED: 502,
	INVALID_ANSWER: 502,
	MESSAGE_TOO_LARGE: 502,
	TIMEOUT: 504,
	ABORTED: 503,
	BUSY: 503,
	CRASH_LOOP: 503,
	PARAMS_FAILED: 500,
	INTERNAL_ERROR: 500,
};

/** The HTTP status of a failure of the bridge. What a server answers itself, result or error, is 200. */
export function statusOf(code: McpStdioErrorCode): number {
	return statuses[code] ?? 500;
}
