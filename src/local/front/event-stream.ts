import type { ServerResponse } from "node:http";
import { EventStreamCodec } from "@smithy/core/event-streams";
import { fromUtf8, toUtf8 } from "@smithy/core/serde";
import type { ResponseOutput } from "../environment/response-output.ts";

/** The last event of a stream: https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStreamCompleteEvent.html */
type InvokeComplete = {
	readonly ErrorCode?: string | undefined;
	readonly ErrorDetails?: string | undefined;
	readonly LogResult?: string | undefined;
};

/** The answer to InvokeWithResponseStream; nothing of it is sent before `start` or `end`. */
export type EventStream = ResponseOutput & { end(complete: InvokeComplete): void };

const codec = new EventStreamCodec(toUtf8, fromUtf8);

export function createEventStream(response: ServerResponse): EventStream {
	const start = (): void => {
		if (response.headersSent) return;
		response.writeHead(200, { "Content-Type": "application/vnd.amazon.eventstream" }).flushHeaders();
	};
	return {
		start,
		write: (payload) => {
			if (response.destroyed || response.writableEnded) return Promise.resolve();
			start();
			if (response.write(encode("PayloadChunk", "application/octet-stream", payload))) return Promise.resolve();
			return new Promise((resolve) => {
				const goOn = (): void => {
					response.off("drain", goOn).off("close", goOn);
					resolve();
				};
				response.on("drain", goOn).on("close", goOn);
			});
		},
		end: (complete) => {
			if (response.destroyed) return;
			start();
			response.end(encode("InvokeComplete", "application/json", Buffer.from(JSON.stringify(complete))));
		},
	};
}

// https://smithy.io/2.0/aws/amazon-eventstream.html
function encode(eventType: string, contentType: string, body: Uint8Array): Uint8Array {
	return codec.encode({
		headers: {
			":event-type": { type: "string", value: eventType },
			":content-type": { type: "string", value: contentType },
			":message-type": { type: "string", value: "event" },
		},
		body,
	});
}
