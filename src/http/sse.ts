import type { HttpHead } from "./message.ts";

/** The head of a stream. Proxies are asked not to hold it back: https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering */
export const streamHead: HttpHead = {
	status: 200,
	headers: {
		"content-type": "text/event-stream",
		"cache-control": "no-cache, no-transform",
		"x-accel-buffering": "no",
	},
};

/** A comment, which keeps an idle connection open and tells a client nothing. */
export const keepAlive = ": keep-alive\n\n";

/** Less than the 30 s after which API Gateway's edge ends an idle stream: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html */
export const keepAliveMs = 15_000;

/** One JSON-RPC message as an event. JSON has no line breaks of its own, so that one `data` line carries it. */
export function frame(message: unknown): string {
	return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}
