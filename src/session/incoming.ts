import { isObject, isRequestId, type JsonRpcNotification, type RequestId } from "../jsonrpc.ts";

/** A message from a server, by what it asks of us. */
export type IncomingMessage =
	| { readonly kind: "request"; readonly id: RequestId; readonly method: string }
	| { readonly kind: "notification"; readonly notification: JsonRpcNotification }
	| { readonly kind: "response"; readonly id: unknown; readonly response: Record<string, unknown> };

const bannerBeforeMessage = /\{"(?:jsonrpc|result|error|method|id)"\s*:/;

/** Banners are searched for in lines of up to this length only: a message is rarely glued to the end of a longer text. */
const longestBannerLineBytes = 1024 * 1024;

/**
 * Reads one line of a server's output. A batch gives several messages; text that is glued in front of a message is
 * reported and left out; what is no message is reported.
 */
export function parseLine(
	line: Buffer,
	onMessage: (message: IncomingMessage) => void,
	onNoise: (problem: string, text: string, isText?: boolean) => void,
): void {
	const text = line.toString("utf8");
	let value = parseJson(text);
	if (value === undefined && line.length <= longestBannerLineBytes) value = parseAfterBanner(text, onNoise);
	if (value === undefined) {
		if (text.trim() !== "") onNoise("a line that is not JSON", text, true);
		return;
	}
	for (const message of Array.isArray(value) && value.length > 0 ? value : [value]) {
		const incoming = classify(message);
		if (incoming) onMessage(incoming);
		else onNoise("JSON that is not JSON-RPC", text, true);
	}
}

function classify(message: unknown): IncomingMessage | undefined {
	if (!isObject(message)) return undefined;
	const { id, method } = message;
	if (typeof method === "string") {
		return id === undefined || id === null
			? { kind: "notification", notification: message as JsonRpcNotification }
			: isRequestId(id)
				? { kind: "request", id, method }
				: undefined;
	}
	return id === undefined && !("result" in message || "error" in message)
		? undefined
		: { kind: "response", id: id ?? null, response: message };
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

function parseAfterBanner(text: string, onNoise: (problem: string, text: string, isText: boolean) => void): unknown {
	const start = bannerBeforeMessage.exec(text)?.index;
	if (!start) return undefined;
	const value = parseJson(text.slice(start));
	if (value !== undefined) onNoise("text in front of a message", text.slice(0, start), true);
	return value;
}

const idFirst =
	/^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d+)\s*,(?!\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"method")/;
const idLast = /[,{]\s*"id"\s*:\s*(\d+)\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/;

/** The id in a response of which only the first or the last bytes are known, when it stands there at the top level. */
export function requestIdOfOverlongLine(part: Buffer, end: "head" | "tail"): number | undefined {
	const id = (end === "head" ? idFirst : idLast).exec(part.toString("latin1"))?.[1];
	return id === undefined ? undefined : Number(id);
}
