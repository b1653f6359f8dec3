import { createLineReader } from "../lines.ts";
import { type IncomingHandlers, idAt, parseLine } from "./incoming.ts";

/** What is heard of a child's stdout. */
export type FramingHandlers = IncomingHandlers & {
	/**
	 * A message is over the cap: told with the id of the request that it answers, if that can be seen, when the cap is passed
	 * and, with `ended`, when the message has ended.
	 */
	readonly onOverlong: (id: number | undefined, ended: boolean, text: string) => void;
};

/** Turns the bytes of a pipe into messages, and messages into text. */
export type Framing = {
	/** Takes a chunk; what `isEnough` stops it at is returned to be pushed again. */
	readonly push: (chunk: Buffer, isEnough?: () => boolean) => Buffer | undefined;
	/** The pipe has ended: what has come since the last message is one too. */
	readonly end: () => void;
};

/** A message as it is written: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio */
export function toLine(json: string): string {
	return `${json}\n`;
}

const header = /^content-length:\s*(\d{1,9})\s*$/i;
const otherHeader = /^[\w-]+:\s[^{]*$/;
const longestHeader = 200;

/**
 * MCP's own framing, a line for each message. What is framed by `Content-Length` headers, as language servers do, is read
 * as well: its messages do not end with a newline.
 */
export function createNdjson(maxMessageBytes: number, handlers: FramingHandlers): Framing {
	let announced: number | undefined;
	let hasEnded = false;
	const whileOpen: FramingHandlers = {
		...handlers,
		// The last line of a program that dies may be half an answer: its death says more.
		onUnreadable: (id, text) => {
			if (!hasEnded) handlers.onUnreadable(id, text);
		},
	};

	function isHeader(line: Buffer): boolean {
		if (line.length > longestHeader) return false;
		const text = line.toString("latin1").trim();
		const length = header.exec(text)?.[1];
		if (length !== undefined) {
			announced = Number(length);
			return true;
		}
		if (announced === undefined) return false;
		if (text === "") {
			lines.takeBytes(announced);
			announced = undefined;
			return true;
		}
		return otherHeader.test(text);
	}

	const lines = createLineReader(maxMessageBytes, {
		onLine(line) {
			// A message begins with a brace; only another line may be a header.
			if (line[0] === 0x7b || !isHeader(line)) parseLine(line, whileOpen);
		},
		onOverlongLine: (head) =>
			handlers.onOverlong(idAt(head.toString("latin1"), "head"), false, head.toString("latin1")),
		onOverlongLineEnd: (tail) =>
			handlers.onOverlong(idAt(tail.toString("latin1"), "tail"), true, tail.toString("latin1")),
	});
	return {
		push: lines.push,
		end() {
			hasEnded = true;
			lines.end();
		},
	};
}
