import { type JsonRpcNotification, type JsonRpcRequest, type RequestId, receiveMessage } from "../jsonrpc.ts";
import { deliver } from "./delivery.ts";
import { LambdaTransportError, type LambdaTransportErrorCode } from "./errors.ts";
import { type LambdaFunctionParameters, type ResolvedParameters, resolveParameters } from "./parameters.ts";
import { createSafety } from "./safety.ts";

/** A message as both MCP SDKs type theirs, without an import of either. */
export type TransportMessage = {
	readonly jsonrpc: "2.0";
	readonly id?: RequestId | undefined;
	readonly method?: string;
	readonly [member: string]: unknown;
};

/** What the MCP SDKs give along with a message, as far as it concerns this transport. */
export type TransportSendOptions = {
	readonly relatedRequestId?: RequestId | undefined;
	/** Cancels the request (SDK 2). */
	readonly requestSignal?: AbortSignal | undefined;
	/** Cancels the message (Vercel's `@ai-sdk/mcp`). */
	readonly signal?: AbortSignal | undefined;
	/** Told when nothing more comes for the request, unless it was cancelled or has failed (SDK 2). */
	readonly onRequestStreamEnd?: (() => void) | undefined;
};

type Sent = JsonRpcRequest | JsonRpcNotification;

/**
 * Reaches an MCP server that runs as a Lambda function, by the Invoke API. For the `Client` of `@modelcontextprotocol/sdk`
 * 1.x and of `@modelcontextprotocol/client` 2.x.
 *
 * Each message is an invocation of its own, so several requests can be in flight. What goes wrong rejects the request at
 * once, with a `LambdaTransportError`, after the retries that are safe; it is also given to `onerror`. Cancelling a
 * request ends its HTTP call; the function, which cannot see that, runs on. Closing the transport ends all calls, and it
 * cannot be used again.
 *
 * Throws a TypeError for wrong parameters.
 *
 * @example
 * import { Client } from "@modelcontextprotocol/sdk/client/index.js";
 * import { LambdaFunctionClientTransport } from "mcp-stdio-lambda/client";
 *
 * const client = new Client({ name: "my-app", version: "1.0.0" });
 * await client.connect(new LambdaFunctionClientTransport({ functionName: "everything", regionName: "eu-west-1" }));
 * console.log(await client.listTools());
 * await client.close();
 */
export class LambdaFunctionClientTransport {
	/** Called once, when the transport is closed. */
	onclose?: () => void;
	/**
	 * Called once with each failure of a message, which also rejects its `send`, and with what can reject none; not for what
	 * was cancelled or closed.
	 */
	onerror?: (error: Error) => void;
	/** Called with each response and notification. */
	// biome-ignore lint/suspicious/noExplicitAny: the two SDKs have types of their own for messages
	onmessage?: (message: any, extra?: any) => void;
	/** Tells SDK 2 to cancel a request by `requestSignal`. */
	readonly hasPerRequestStream = true;

	readonly #parameters: ResolvedParameters;
	readonly #safety = createSafety();
	readonly #inFlight = new Map<AbortController, RequestId | undefined>();
	readonly #onAbort = (): void =>
		this.#end(this.#failure("ABORTED", "its signal fired", this.#parameters.signal?.reason));
	#closed: LambdaTransportError | undefined;

	constructor(parameters: LambdaFunctionParameters) {
		this.#parameters = resolveParameters(parameters);
		const { signal } = this.#parameters;
		if (signal?.aborted) this.#onAbort();
		else signal?.addEventListener("abort", this.#onAbort, { once: true });
	}

	/** Does nothing but refuse when the transport is closed: there is no connection. */
	async start(): Promise<void> {
		this.#refuseWhenClosed();
	}

	/**
	 * Sends a message, and resolves when the function has answered it and the answer was given to `onmessage`. Rejects with
	 * a LambdaTransportError.
	 */
	async send(message: TransportMessage, options: TransportSendOptions = {}): Promise<void> {
		this.#refuseWhenClosed();
		const received = receiveMessage(message);
		if (received.kind === "invalid") throw this.#failure("INVALID_MESSAGE", `invalid message: ${received.problem}`);
		if (received.kind === "notification") {
			const { notification } = received;
			if (notification.method === "notifications/cancelled") return this.#cancel(notification);
			if (this.#parameters.sendNotifications) await this.#deliver(notification, options);
		} else {
			await this.#deliver(received.request, options);
		}
	}

	/** Ends all calls, rejects what is pending with CLOSED, and calls `onclose`. */
	async close(): Promise<void> {
		this.#end(this.#failure("CLOSED", "the transport was closed"));
	}

	#end(reason: LambdaTransportError): void {
		if (this.#closed) return;
		this.#closed = reason;
		this.#parameters.signal?.removeEventListener("abort", this.#onAbort);
		for (const controller of this.#inFlight.keys()) controller.abort(reason);
		this.#parameters.destroyClient();
		try {
			this.onclose?.();
		} catch (error) {
			this.#report(error as Error);
		}
	}

	#refuseWhenClosed(): void {
		if (!this.#closed) return;
		const what = "the transport is closed; connect with a new one";
		throw this.#failure("CLOSED", what, this.#closed.code === "ABORTED" ? this.#closed : undefined);
	}

	#cancel({ params }: JsonRpcNotification): void {
		for (const [controller, id] of this.#inFlight) {
			if (id === undefined || id !== params?.requestId) continue;
			controller.abort(this.#failure("ABORTED", "the request was cancelled", params.reason));
		}
	}

	async #deliver(message: Sent, options: TransportSendOptions): Promise<void> {
		const signals = [options.requestSignal, options.signal].filter((signal) => signal !== undefined);
		const controller = new AbortController();
		const cancel = (): void => {
			const reason: unknown = signals.find(({ aborted }) => aborted)?.reason;
			controller.abort(this.#failure("ABORTED", "the request was cancelled", reason));
		};
		this.#inFlight.set(controller, message.id as RequestId | undefined);
		for (const signal of signals) signal.addEventListener("abort", cancel, { once: true });
		if (signals.some(({ aborted }) => aborted)) cancel();
		try {
			await deliver(message, {
				parameters: this.#parameters,
				safety: this.#safety,
				signal: controller.signal,
				onMessage: (received) => this.#receive(received),
				onProblem: (problem) => this.#report(problem),
			});
		} catch (error) {
			if (!controller.signal.aborted) this.#report(error as Error);
			throw error;
		} finally {
			this.#inFlight.delete(controller);
			for (const signal of signals) signal.removeEventListener("abort", cancel);
		}
		// Not when it has failed: whoever is told of the end would take it for the cause.
		if (!controller.signal.aborted) options.onRequestStreamEnd?.();
	}

	#receive(message: object): void {
		try {
			this.onmessage?.(message);
		} catch (error) {
			// The message has arrived: what its receiver makes of it fails no request.
			this.#report(error as Error);
		}
	}

	#report(error: Error): void {
		try {
			this.onerror?.(error);
		} catch {
			// Who is told of failures makes none of another.
		}
	}

	#failure(code: LambdaTransportErrorCode, what: string, cause?: unknown): LambdaTransportError {
		return new LambdaTransportError(code, what, { functionName: this.#parameters.name }, cause);
	}
}
