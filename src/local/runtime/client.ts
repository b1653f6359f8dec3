import { Agent, type IncomingHttpHeaders, type RequestOptions, request } from "node:http";
import { formatError, toHeaderValue } from "./error.ts";

/** The runtime's side of the Runtime API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html */
export type RuntimeClient = {
	next(): Promise<{ readonly headers: IncomingHttpHeaders; readonly body: string }>;
	post(requestId: string, outcome: { readonly result: string } | { readonly error: unknown }): Promise<void>;
	postInitError(error: unknown): Promise<void>;
};

export function createRuntimeClient(address: string): RuntimeClient {
	const [host, port] = address.split(":");
	// One connection, always the same: nothing is set up anew on an invocation's time.
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });

	const send = (
		options: RequestOptions,
		body?: string,
	): Promise<{ readonly headers: IncomingHttpHeaders; readonly body: string }> =>
		new Promise((resolve, reject) => {
			const outgoing = request({ host, port, agent, ...options }, (response) => {
				let text = "";
				response.setEncoding("utf8");
				response.on("data", (chunk: string) => {
					text += chunk;
				});
				response.on("end", () => resolve({ headers: response.headers, body: text }));
				response.on("error", reject);
			});
			outgoing.on("error", reject);
			outgoing.end(body);
		});

	const postJson = async (path: string, json: string, errorType?: string): Promise<void> => {
		const headers: Record<string, string | number> = {
			"Content-Type": "application/json",
			"Content-Length": Buffer.byteLength(json),
		};
		if (errorType !== undefined) headers["Lambda-Runtime-Function-Error-Type"] = toHeaderValue(errorType);
		await send({ method: "POST", path: `/2018-06-01/runtime/${path}`, headers }, json);
	};

	return {
		next: () => send({ method: "GET", path: "/2018-06-01/runtime/invocation/next" }),
		post: async (requestId, outcome) => {
			const path = `invocation/${encodeURIComponent(requestId)}`;
			if ("result" in outcome) return await postJson(`${path}/response`, outcome.result);
			const formatted = formatError(outcome.error);
			await postJson(`${path}/error`, JSON.stringify(formatted), formatted.errorType);
		},
		postInitError: async (error) => {
			const formatted = formatError(error);
			await postJson("init/error", JSON.stringify(formatted), formatted.errorType);
		},
	};
}
