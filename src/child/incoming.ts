import { canBeWritten, parseJson } from "../json.ts";
import { isObject, isRequestId, type JsonRpcNotification, type RequestId } from "../jsonrpc.ts";

/** A message from a server, by what it asks of us. */
export type IncomingMessage =
	| { readonly kind: "request"; readonly id: RequestId; readonly method: string; readonly params: unknown }
	| { readonly kind: "notification"; readonly notification: JsonRpcNotification }
	| {
			readonly kind: "response";
			readonly id: unknown;
			readonly response: Record<string, unknown>;
			/** Whether it can be written as JSON again. */
			readonly writable: boolean;
			/** How long it was, within a factor of four of its size as JSON in UTF-8. */
			readonly length: number;
	  };

export type IncomingHandlers = {
	readonly onMessage: (message: IncomingMessage) => void;
	/** `isText` is set for what is no message at all. */
	readonly onNoise: (problem: string, text: string, isText: boolean) => void;
	/** What looks like the response to a request, and cannot be read. */
	readonly onUnreadable: (id: number, text: string) => void;
};

const messageStart = /\{\s*"(?:jsonrpc|result|error|method|id)"\s*:/;

/** Banners are searched for in lines of up to this length only: a message is rarely glued to the end of a longer text. */
const longestBannerLineBytes = 1024 * 1024;

/**
 * Reads one line of a server's output. A batch gives several messages, and so do messages in a row; text in front of a message
 * or behind it is reported and left out, and so is what is no message.
 */
export function parseLine(line: Buffer, handlers: IncomingHandlers): void {
	const text = line.toString("utf8");
	const value = tryParse(text);
	if (value === undefined) repairLine(text, line.length <= longestBannerLineBytes, handlers);
	else receive(value, text, handlers);
}

function receive(value: unknown, text: string, { onMessage, onNoise }: IncomingHandlers): void {
	for (const message of Array.isArray(value) && value.length > 0 ? value : [value]) {
		const incoming = classify(message, text);
		if (incoming) onMessage(incoming);
		else onNoise("JSON that is not JSON-RPC", text, true);
	}
}

function classify(message: unknown, text: string): IncomingMessage | undefined {
	if (!isObject(message)) return undefined;
	const { id, method, params } = message;
	if (typeof method === "string") {
		if (id === undefined || id === null) return { kind: "notification", notification: message as JsonRpcNotification };
		return isRequestId(id) ? { kind: "request", id, method, params } : undefined;
	}
	if (id === undefined && !("result" in message || "error" in message)) return undefined;
	return {
		kind: "response",
		id: id ?? null,
		response: message,
		writable: canBeWritten(message, text),
		length: text.length,
	};
}

function tryParse(text: string): unknown {
	try {
		return parseJson(text);
	} catch {
		return undefined;
	}
}

// What terminals and editors put around a text: https://www.ecma-international.org/publications-and-standards/standards/ecma-48/
// biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences begin with one
const padding = /(?:[\s,\ufeff]|\u001b\[[0-9;?]*[ -/]*[@-~])*/y;

/** Reads what can safely be read of a line that is not JSON as it stands. */
function repairLine(text: string, mayHaveBanner: boolean, handlers: IncomingHandlers): void {
	let position = skipPadding(text, 0);
	const isMessage = text[position] === "{";
	let read = 0;
	while (text[position] === "{") {
		const end = endOfObject(text, position);
		const part = end === -1 ? "" : text.slice(position, end);
		const value = end === -1 ? undefined : (tryParse(part) ?? tryParse(withEscapes(part)));
		if (value === undefined) break;
		receive(value, part, handlers);
		read += 1;
		position = skipPadding(text, end);
	}
	if (position >= text.length) return;
	const rest = text.slice(position);
	if (read > 0) {
		handlers.onNoise("text behind a message", rest, true);
		return;
	}
	const start = mayHaveBanner ? (messageStart.exec(text)?.index ?? 0) : 0;
	const value = start > 0 ? tryParse(text.slice(start)) : undefined;
	if (value !== undefined) {
		handlers.onNoise("text in front of a message", text.slice(0, start), true);
		receive(value, text, handlers);
		return;
	}
	handlers.onNoise("a line that is not JSON", text, true);
	const id = isMessage ? idOfBrokenLine(rest) : undefined;
	if (id !== undefined) handlers.onUnreadable(id, rest);
}

function skipPadding(text: string, from: number): number {
	padding.lastIndex = from;
	padding.test(text);
	return padding.lastIndex;
}

const structure = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}]/gs;

/** Where the object that begins at `start` ends; -1 when it does not. */
function endOfObject(text: string, start: number): number {
	let depth = 0;
	structure.lastIndex = start;
	for (let match = structure.exec(text); match; match = structure.exec(text)) {
		const [token] = match;
		if (token === "{") depth += 1;
		else if (token === "}") depth -= 1;
		if (depth === 0) return structure.lastIndex;
	}
	return -1;
}

/** The same with control characters in strings escaped, which JSON demands and some servers forget. */
function withEscapes(text: string): string {
	return text.replaceAll(/"[^"\\]*(?:\\.[^"\\]*)*"/gs, (string) =>
		// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
		string.replaceAll(/[\u0000-\u001f]/g, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`),
	);
}

const shownLength = 256;

function idOfBrokenLine(text: string): number | undefined {
	return idAt(text.slice(0, shownLength), "head") ?? idAt(text.slice(-shownLength), "tail");
}

const idFirst =
	/^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*"?(\d+)"?\s*,(?!\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"method")/;
const idLast = /[,{]\s*"id"\s*:\s*"?(\d+)"?\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/;

/** The id in a response of which only the first or the last bytes are known, when it stands there at the top level. */
export function idAt(part: string, end: "head" | "tail"): number | undefined {
	const id = (end === "head" ? idFirst : idLast).exec(part)?.[1];
	return id === undefined ? undefined : Number(id);
}
