import type { ServerResponse } from "node:http";
import type { InvocationResult } from "../../environment/invocation-result.ts";
import type { ResponseOutput } from "../../environment/response-output.ts";
import { writePiece } from "../back-pressure.ts";
import type { HttpFront, HttpHead } from "./front.ts";
import { createPrelude } from "./prelude.ts";
import { sendAnswer, sendHead } from "./send.ts";

/** How the handler says that its stream begins with the head of an HTTP response. */
const httpIntegration = "application/vnd.awslambda.http-integration-response";

/** Passes a function's stream on as an HTTP response. */
export type StreamedAnswer = ResponseOutput & {
	/** The invocation has ended, with what could not be streamed if the function has not. */
	readonly end: (result: InvocationResult) => void;
};

export function createStreamedAnswer(front: HttpFront, response: ServerResponse): StreamedAnswer {
	const prelude = createPrelude();
	let hasPrelude = false;
	let rawType: string | undefined;
	let idleTimer: NodeJS.Timeout | undefined;

	/** What is wrong with a stream that has begun can only be told by breaking it off. */
	function fail(): void {
		if (response.headersSent) response.destroy();
		else sendAnswer(response, front.answers.failed);
	}

	function begin(head: HttpHead | undefined): boolean {
		if (!head) {
			fail();
			return false;
		}
		sendHead(response, head);
		response.flushHeaders();
		return true;
	}

	function stayAwake(): void {
		clearTimeout(idleTimer);
		if (front.idleTimeoutMs !== undefined) idleTimer = setTimeout(() => response.destroy(), front.idleTimeoutMs);
	}

	function bodyOf(piece: Buffer): Buffer | undefined {
		if (response.headersSent || response.writableEnded) return piece;
		if (!hasPrelude) return begin(front.rawHead(rawType)) ? piece : undefined;
		const read = prelude.push(piece);
		if (read === undefined) return undefined;
		if (read === "bad") {
			fail();
			return undefined;
		}
		return begin(front.head(read.value)) ? read.body : undefined;
	}

	return {
		start(contentType) {
			hasPrelude = contentType === httpIntegration;
			rawType = contentType;
			stayAwake();
		},
		async write(piece) {
			stayAwake();
			const body = bodyOf(piece);
			if (body && body.length > 0) await writePiece(response, body);
		},
		end(result) {
			clearTimeout(idleTimer);
			if (response.destroyed || response.writableEnded) return;
			if (result.kind === "whole") {
				const isAnswer = !result.isFunctionError && begin(front.rawHead("application/json"));
				if (isAnswer) response.end(result.payload);
				else if (!response.writableEnded) fail();
				return;
			}
			// A stream that nothing was written to has no head.
			if (result.error || (!response.headersSent && (hasPrelude || !begin(front.rawHead(rawType))))) {
				if (!response.writableEnded) fail();
				return;
			}
			response.end();
		},
	};
}
