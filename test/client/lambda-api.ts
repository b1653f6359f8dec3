import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { LambdaClient, type LambdaClientConfig } from "@aws-sdk/client-lambda";
import { EventStreamCodec } from "@smithy/core/event-streams";
import { fromUtf8, toUtf8 } from "@smithy/core/serde";
import { onTestFinished } from "vitest";
import {
	type LambdaFunctionParameters,
	LambdaFunctionClientTransport as Transport,
	type TransportMessage,
} from "../../src/client/index.ts";

/** What the API was asked. */
type Call = {
	readonly path: string;
	readonly query: URLSearchParams;
	readonly headers: IncomingMessage["headers"];
	/** Parsed; `undefined` while the body was not read. */
	// biome-ignore lint/suspicious/noExplicitAny: the shape is what the test asserts
	message?: any;
	/** Whether the function ran for it. */
	executed: boolean;
	/** Resolves when the caller has gone before it had the whole answer. */
	readonly abandoned: Promise<void>;
};

/** What the API does with a call. */
export type Answer = {
	/** Whether the function runs. */
	readonly executes: boolean;
	/** Whether the request's body is read; `true` unless it says otherwise. */
	readonly reads?: boolean;
	readonly give: (response: ServerResponse, call: Call) => unknown;
};

export type LambdaApi = {
	readonly endpoint: string;
	readonly calls: Call[];
	/** How many connections were made. */
	readonly connections: () => number;
	/** How often the function ran. */
	readonly executions: (method?: string) => number;
	/** Resolves when so many calls have come. */
	readonly called: (times: number) => Promise<void>;
};

export const awsRequestId = "8c2ba3b1-5c9a-4f0e-9f7c-2d8f6ed1d1a5";

/**
 * The Invoke API as it is on the wire, with an answer for each call in turn; the last is for all that follow.
 *
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export async function startLambdaApi(...answers: Answer[]): Promise<LambdaApi> {
	const calls: Call[] = [];
	const waiting = new Set<() => void>();
	const sockets = new Set<Socket>();
	let connections = 0;
	const server = createServer(async (request, response) => {
		const answer = answers[Math.min(calls.length, answers.length - 1)] ?? result({});
		const url = new URL(request.url ?? "", "http://localhost");
		const call: Call = {
			path: url.pathname,
			query: url.searchParams,
			headers: request.headers,
			executed: false,
			abandoned: new Promise((resolve) => response.once("close", () => !response.writableEnded && resolve())),
		};
		calls.push(call);
		if (answer.reads !== false) {
			const body = await request.toArray();
			call.message = JSON.parse(Buffer.concat(body).toString());
		}
		call.executed = answer.executes;
		for (const check of waiting) check();
		response.setHeader("x-amzn-RequestId", awsRequestId);
		await answer.give(response, call);
	});
	server.on("connection", (socket) => {
		connections += 1;
		sockets.add(socket);
		socket.once("close", () => sockets.delete(socket));
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	onTestFinished(() => {
		server.close();
		for (const socket of sockets) socket.destroy();
	});
	return {
		endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		calls,
		connections: () => connections,
		executions: (method) =>
			calls.filter((call) => call.executed && (method === undefined || call.message?.method === method)).length,
		called: (times) =>
			new Promise((resolve) => {
				const check = (): void => {
					if (calls.filter(({ message }) => message !== undefined).length < times) return;
					waiting.delete(check);
					resolve();
				};
				waiting.add(check);
				check();
			}),
	};
}

/** A function's result, as it is. */
export function payload(text: string): Answer {
	return { executes: true, give: (response) => response.end(text) };
}

/** A function that answers a request with a result, and a notification with `{}`. */
export function result(value: object = {}): Answer {
	return {
		executes: true,
		give: (response, { message }) =>
			response.end(JSON.stringify(message.id === undefined ? {} : { jsonrpc: "2.0", id: message.id, result: value })),
	};
}

/** A function that could not finish. */
export function functionError(text: string, kind = "Unhandled"): Answer {
	return {
		executes: true,
		give: (response) => {
			response.setHeader("X-Amz-Function-Error", kind);
			response.end(text);
		},
	};
}

type ServiceErrorFacts = {
	readonly status: number;
	readonly executes?: boolean;
	readonly message?: string;
	readonly reason?: string;
	readonly retryAfter?: string;
};

/** An error of the service, in the shape that its model gives. */
export function serviceError(name: string, facts: ServiceErrorFacts): Answer {
	const { status, executes = false, message = `${name} says no`, reason, retryAfter } = facts;
	const member = /^(EC2|ENI|KMS|Subnet|InvalidS|InvalidRuntime|InvalidZip|ServiceEx|ResourceNot)/.test(name)
		? "Message"
		: "message";
	return {
		executes,
		give: (response) => {
			response.writeHead(status, {
				"Content-Type": "application/json",
				"x-amzn-ErrorType": name,
				...(retryAfter === undefined ? {} : { "Retry-After": retryAfter }),
			});
			response.end(JSON.stringify({ Type: status < 500 ? "User" : "Server", Reason: reason, [member]: message }));
		},
	};
}

/** Ends the connection: before the function could be given the request, or while it works. */
export function reset(when: "unread" | "executing"): Answer {
	return {
		executes: when === "executing",
		reads: when === "executing",
		give: (response) => (response.socket as Socket).resetAndDestroy(),
	};
}

/** A function that never answers. */
export const hang: Answer = { executes: true, give: () => {} };

/** Ends the connection when half of the result was sent. */
export const halfResult: Answer = {
	executes: true,
	give: (response) => {
		response.setHeader("Content-Length", "100");
		response.write('{"jsonrpc":"2.0",', () => response.destroy());
	},
};

const codec = new EventStreamCodec(toUtf8, fromUtf8);

function encodeFrame(kind: "event" | "exception", type: string, contentType: string, body: Uint8Array): Uint8Array {
	return codec.encode({
		headers: {
			":message-type": { type: "string", value: kind },
			[`:${kind}-type`]: { type: "string", value: type },
			":content-type": { type: "string", value: contentType },
		},
		body,
	});
}

export function chunk(data: string | Uint8Array): Uint8Array {
	return encodeFrame("event", "PayloadChunk", "application/octet-stream", Buffer.from(data as string));
}

/** The last frame: of a function that has finished, or with what it failed. */
export function complete(details: { readonly ErrorCode?: string; readonly ErrorDetails?: string } = {}): Uint8Array {
	return encodeFrame("event", "InvokeComplete", "application/json", Buffer.from(JSON.stringify(details)));
}

export function exceptionFrame(name: string, message: string): Uint8Array {
	return encodeFrame("exception", name, "application/json", Buffer.from(JSON.stringify({ message })));
}

/** A streamed result, which ends, breaks or hangs after its last frame; a function among the frames is waited for. */
export function stream(
	frames: readonly (Uint8Array | (() => Promise<unknown>))[],
	ending: "end" | "break" | "hang" = "end",
): Answer {
	return {
		executes: true,
		give: async (response) => {
			response.setHeader("Content-Type", "application/vnd.amazon.eventstream");
			response.flushHeaders();
			for (const frame of frames) {
				if (typeof frame === "function") await frame();
				else await new Promise((resolve) => response.write(frame, resolve));
			}
			if (ending === "end") response.end();
			if (ending === "break") response.destroy();
		},
	};
}

export const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };

/** A client of the AWS SDK, as a user may have one. */
export function clientOf(api: Pick<LambdaApi, "endpoint">, config: LambdaClientConfig = {}): LambdaClient {
	const client = new LambdaClient({ region: "eu-west-1", endpoint: api.endpoint, credentials, ...config });
	onTestFinished(() => client.destroy());
	return client;
}

type Recorded = {
	readonly transport: Transport;
	readonly messages: Record<string, unknown>[];
	readonly errors: Error[];
	/** How often `onclose` was called. */
	readonly closes: () => number;
};

/** A transport to the API that waits for nothing between attempts, and what it gives to its client. */
export function connect(
	api: Pick<LambdaApi, "endpoint">,
	parameters: Partial<LambdaFunctionParameters> = {},
): Recorded {
	const own = parameters.client ? {} : { endpoint: api.endpoint, regionName: "eu-west-1", credentials };
	const transport = new Transport({
		functionName: "everything",
		...own,
		...parameters,
		retry: { baseDelayMs: 0, ...parameters.retry },
	});
	onTestFinished(() => transport.close());
	const messages: Record<string, unknown>[] = [];
	const errors: Error[] = [];
	let closes = 0;
	transport.onmessage = (message) => messages.push(message);
	transport.onerror = (error) => errors.push(error);
	transport.onclose = () => {
		closes += 1;
	};
	return { transport, messages, errors, closes: () => closes };
}

export const toolCall: TransportMessage = {
	jsonrpc: "2.0",
	id: 1,
	method: "tools/call",
	params: { name: "pay", arguments: {} },
};
export const toolsList: TransportMessage = { jsonrpc: "2.0", id: 2, method: "tools/list" };

/** What `promise` rejects with; fails when it does not. */
// biome-ignore lint/suspicious/noExplicitAny: the shape is what the test asserts
export async function rejection(promise: Promise<unknown>): Promise<any> {
	const nothing = {};
	const error = await promise.then(
		() => nothing,
		(thrown: unknown) => thrown,
	);
	if (error === nothing) throw new Error("it does not reject");
	return error;
}
