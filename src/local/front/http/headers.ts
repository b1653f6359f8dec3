import type { HttpRequest } from "./front.ts";

/** What every front adds to a client's headers. */
export function forwarded({ sourceIp, port, traceId }: HttpRequest): readonly (readonly [string, string])[] {
	return [
		["X-Amzn-Trace-Id", traceId.split(";")[0] ?? traceId],
		["X-Forwarded-For", sourceIp],
		["X-Forwarded-Port", String(port)],
		["X-Forwarded-Proto", "http"],
	];
}

/** All values of each name, in their order. */
export function allValues(lines: readonly (readonly [string, string])[]): Record<string, string[]> {
	const all: Record<string, string[]> = {};
	for (const [name, value] of lines) {
		const values = all[name] ?? [];
		values.push(value);
		all[name] = values;
	}
	return all;
}

/** The last value of each name. */
export function lastValues(lines: readonly (readonly [string, string])[]): Record<string, string> {
	return Object.fromEntries(lines);
}

export function lowerCase(lines: readonly (readonly [string, string])[]): (readonly [string, string])[] {
	return lines.map(([name, value]) => [name.toLowerCase(), value]);
}

/** The parameters of a query, decoded, as they were given. */
export function queryLines(query: string): (readonly [string, string])[] {
	return [...new URLSearchParams(query)];
}

/** The same without decoding. */
export function rawQueryLines(query: string): (readonly [string, string])[] {
	return query
		.split("&")
		.filter((part) => part !== "")
		.map((part) => {
			const at = part.indexOf("=");
			return at === -1 ? [part, ""] : [part.slice(0, at), part.slice(at + 1)];
		});
}
