import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readBody } from "../http-body.ts";
import { maxResponseBytes } from "./function-error.ts";
import type { ResponseOutput } from "./response-output.ts";
import { type RuntimeAnswer, readResponse, readWhole } from "./runtime-answer.ts";

/** One invocation, as the runtime gets it. */
export type RuntimeInvocation = {
	readonly requestId: string;
	readonly invokedFunctionArn: string;
	/** `Root=…;Parent=…;Sampled=…` */
	readonly traceId: string;
	/** JSON, not base64. */
	readonly clientContext: string | undefined;
	/** Whose environment it must run in, of a function with tenant isolation. */
	readonly tenantId: string | undefined;
	/** JSON. */
	readonly payload: Buffer;
};

export type RuntimeApiListener = {
	/** The runtime asks for the next invocation: it has started, or has finished the one before. */
	onReady(): void;
	onAnswer(answer: RuntimeAnswer): void;
	onInitError(payload: Buffer): void;
};

export type RuntimeApi = {
	/** For AWS_LAMBDA_RUNTIME_API: host and port. */
	readonly address: string;
	/** Gives the runtime, which must have asked for it, its next invocation. What it streams goes to the output. */
	deliver(invocation: RuntimeInvocation, deadlineMs: number, output: ResponseOutput | undefined): void;
	/** Forgets the runtime process and waits for a new one. */
	reset(): void;
	close(): void;
};

type Phase =
	| { readonly name: "init" | "failed" }
	| { readonly name: "ready"; readonly next: ServerResponse }
	| {
			readonly name: "invoking" | "answering";
			readonly requestId: string;
			readonly output: ResponseOutput | undefined;
			/** The runtime asks for the next invocation already. */
			next?: ServerResponse;
	  }
	| { readonly name: "answered" };

/** For the runtime alone, whoever may call the functions; clients of it take no IPv6 address. */
const address = "127.0.0.1";

/**
 * The Runtime API of one execution environment, on a port of its own: a runtime is told apart by the port it speaks to.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export async function startRuntimeApi(listener: RuntimeApiListener): Promise<RuntimeApi> {
	let phase: Phase = { name: "init" };

	const next = (response: ServerResponse): void => {
		if (phase.name === "init" || phase.name === "answered") {
			phase = { name: "ready", next: response };
			listener.onReady();
		} else if ((phase.name === "invoking" || phase.name === "answering") && !phase.next) {
			// AWS's runtime client does not wait until its stream has arrived when it ends it with an error, and it asks on
			// another connection.
			phase.next = response;
		} else {
			refuseTransition(response, phase.name, "Ready");
		}
	};

	const answer = async (
		request: IncomingMessage,
		response: ServerResponse,
		requestId: string,
		kind: "response" | "error",
	): Promise<void> => {
		if (phase.name !== "invoking") return refuseTransition(response, phase.name, "InvocationResponse");
		if (phase.requestId !== requestId) {
			return reply(response, 400, { errorMessage: "Invalid request ID", errorType: "InvalidRequestID" });
		}
		const answering: Phase = { ...phase, name: "answering" };
		phase = answering;
		const answer = kind === "error" ? await readWhole(request, kind) : await readResponse(request, phase.output);
		if (phase !== answering) return;
		phase = { name: "answered" };
		if (answer.kind === "tooLarge") {
			const errorMessage = `Exceeded maximum allowed payload size (${answer.limitBytes} bytes).`;
			reply(response, 413, { errorMessage, errorType: "RequestEntityTooLarge" });
		} else if (answer.kind !== "truncated") {
			reply(response, 202, { status: "OK" });
		}
		listener.onAnswer(answer);
		if (answering.next) next(answering.next);
	};

	const initError = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
		if (phase.name !== "init") return refuseTransition(response, phase.name, "InitError");
		const failed: Phase = { name: "failed" };
		phase = failed;
		const body = await readBody(request, maxResponseBytes);
		if (phase !== failed) return;
		reply(response, 202, { status: "OK" });
		listener.onInitError(body.bytes ?? Buffer.from("{}"));
	};

	const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
		const { method, url = "" } = request;
		if (method === "GET" && url === "/2018-06-01/runtime/invocation/next") return next(response);
		if (method === "POST" && url === "/2018-06-01/runtime/init/error") return await initError(request, response);
		const match = /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/.exec(url);
		if (method === "POST" && match?.[1] && match[2]) {
			return await answer(request, response, decodeURIComponent(match[1]), match[2] as "response" | "error");
		}
		response.writeHead(404).end();
	};

	// A runtime that is killed while it sends breaks its request: its exit is what counts.
	const server = createServer({ maxHeaderSize: maxHeaderBytes, requestTimeout: 0 }, (request, response) => {
		route(request, response).catch(() => response.destroy());
	});
	// A connection must survive while the environment is frozen, for however long.
	server.keepAliveTimeout = 0;
	server.timeout = 0;
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject).listen(0, address, resolve);
	});

	return {
		address: `${address}:${(server.address() as AddressInfo).port}`,
		deliver: (invocation, deadlineMs, output) => {
			if (phase.name !== "ready") throw new Error("The runtime has not asked for an invocation");
			const { next } = phase;
			phase = { name: "invoking", requestId: invocation.requestId, output };
			next.writeHead(200, {
				"Content-Type": "application/json",
				"Content-Length": invocation.payload.length,
				"Lambda-Runtime-Aws-Request-Id": invocation.requestId,
				"Lambda-Runtime-Deadline-Ms": String(deadlineMs),
				"Lambda-Runtime-Invoked-Function-Arn": invocation.invokedFunctionArn,
				"Lambda-Runtime-Trace-Id": invocation.traceId,
				...(invocation.tenantId === undefined
					? {}
					: { "Lambda-Runtime-Aws-Tenant-Id": toHeaderValue(invocation.tenantId) }),
				...(invocation.clientContext === undefined
					? {}
					: { "Lambda-Runtime-Client-Context": toHeaderValue(invocation.clientContext) }),
			});
			next.end(invocation.payload);
		},
		reset: () => {
			phase = { name: "init" };
			server.closeAllConnections();
		},
		close: () => {
			server.close();
			server.closeAllConnections();
		},
	};
}

// AWS's runtime client sends a whole stack trace in a header (Lambda-Runtime-Function-XRay-Error-Cause).
const maxHeaderBytes = 1024 * 1024;

function refuseTransition(response: ServerResponse, from: string, to: string): void {
	const errorMessage = `State transition from ${from} to ${to} failed for runtime. Error: State transition is not allowed`;
	reply(response, 403, { errorMessage, errorType: "InvalidStateTransition" });
}

function reply(response: ServerResponse, status: number, body: object): void {
	const bytes = Buffer.from(JSON.stringify(body));
	response.writeHead(status, { "Content-Type": "application/json", "Content-Length": bytes.length }).end(bytes);
}

// node:http writes header values as latin1: UTF-8 bytes pass when each is given as one character.
function toHeaderValue(text: string): string {
	return Buffer.from(text.replaceAll(/[\r\n]+\s*/g, " ")).toString("latin1");
}
