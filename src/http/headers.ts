/** The media types of a reply to a POST: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#sending-messages-to-the-server */
const replyTypes = ["application/json", "text/event-stream"] as const;

/** Header values are searched up to this length only: a client has no use for more. */
const longestValue = 4096;

/** Whether `Accept` lets both kinds of a reply through. Without the header everything is accepted (RFC 9110, 12.5.1). */
export function acceptsReplies(accept: string | undefined): boolean {
	if (accept === undefined) return true;
	const ranges = accept.slice(0, longestValue).split(",").map(parseRange);
	return replyTypes.every((type) => quality(ranges, type) > 0);
}

/** Whether `Content-Type` is JSON in UTF-8. */
export function isJson(contentType: string | undefined): boolean {
	const [type = "", ...parameters] = (contentType ?? "").slice(0, longestValue).split(";");
	if (type.trim().toLowerCase() !== "application/json") return false;
	const charset = parameters
		.map((parameter) => parameter.trim().toLowerCase())
		.find((text) => text.startsWith("charset="));
	return charset === undefined || /^charset="?(utf-?8|us-ascii)"?$/.test(charset);
}

type MediaRange = { readonly type: string; readonly quality: number };

function parseRange(text: string): MediaRange {
	const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
	const q = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
	const quality = q === undefined ? 1 : Number(q);
	return { type, quality: Number.isNaN(quality) ? 0 : quality };
}

/** How much a type is wanted: the most specific range decides. */
function quality(ranges: readonly MediaRange[], type: string): number {
	const [family] = type.split("/");
	for (const wanted of [type, `${family}/*`, "*/*"]) {
		const range = ranges.find((candidate) => candidate.type === wanted);
		if (range) return range.quality;
	}
	return 0;
}
