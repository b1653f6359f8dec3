import type { ServerResponse } from "node:http";
import { crc32 } from "node:zlib";
import type { ResponseOutput } from "../environment/response-output.ts";
import { writePiece } from "./back-pressure.ts";

/** The last event of a stream: https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStreamCompleteEvent.html */
type InvokeComplete = {
	readonly ErrorCode?: string | undefined;
	readonly ErrorDetails?: string | undefined;
	readonly LogResult?: string | undefined;
};

/** The answer to InvokeWithResponseStream; nothing of it is sent before `start` or `end`. */
export type EventStream = ResponseOutput & { end(complete: InvokeComplete): void };

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
			return writePiece(response, encode("PayloadChunk", "application/octet-stream", payload));
		},
		end: (complete) => {
			if (response.destroyed) return;
			start();
			response.end(encode("InvokeComplete", "application/json", Buffer.from(JSON.stringify(complete))));
		},
	};
}

/**
 * One message of AWS's event streams: two lengths and their checksum, the headers, the body, and the checksum of all
 * (https://smithy.io/2.0/aws/amazon-eventstream.html). By hand, because each version of the AWS SDK has its encoder elsewhere.
 */
function encode(eventType: string, contentType: string, body: Uint8Array): Uint8Array {
	const headers = Buffer.concat([
		header(":event-type", eventType),
		header(":content-type", contentType),
		header(":message-type", "event"),
	]);
	const prelude = Buffer.alloc(12);
	prelude.writeUInt32BE(prelude.length + headers.length + body.length + 4, 0);
	prelude.writeUInt32BE(headers.length, 4);
	prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
	const checksum = Buffer.alloc(4);
	checksum.writeUInt32BE(crc32(body, crc32(headers, crc32(prelude))));
	return Buffer.concat([prelude, headers, body, checksum]);
}

const typeOfStrings = 7;

function header(name: string, value: string): Buffer {
	const [nameBytes, valueBytes] = [Buffer.from(name), Buffer.from(value)];
	const length = Buffer.alloc(2);
	length.writeUInt16BE(valueBytes.length);
	return Buffer.concat([Buffer.of(nameBytes.length), nameBytes, Buffer.of(typeOfStrings), length, valueBytes]);
}
