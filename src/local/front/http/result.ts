import { isObject } from "../../../jsonrpc.ts";
import type { HeaderLine } from "./front.ts";

/** A status code as fronts take it: a number or its text. */
export function statusOf(value: unknown): number | undefined {
	const status = typeof value === "string" && /^\d{3}$/.test(value) ? Number(value) : value;
	return Number.isInteger(status) && (status as number) >= 200 && (status as number) <= 599
		? (status as number)
		: undefined;
}

/** `undefined` for what are no headers. */
export function headerLines(headers: unknown): HeaderLine[] | undefined {
	if (headers === undefined || headers === null) return [];
	if (!isObject(headers)) return undefined;
	const lines: HeaderLine[] = [];
	for (const [name, value] of Object.entries(headers)) {
		if (value === null || value === undefined) continue;
		if (typeof value === "object") return undefined;
		lines.push([name, String(value)]);
	}
	return lines;
}

/** Several values of a header are several lines. */
export function multiValueHeaderLines(headers: unknown): HeaderLine[] | undefined {
	if (headers === undefined || headers === null) return [];
	if (!isObject(headers)) return undefined;
	const lines: HeaderLine[] = [];
	for (const [name, values] of Object.entries(headers)) {
		if (!Array.isArray(values)) return undefined;
		for (const value of values) lines.push([name, String(value)]);
	}
	return lines;
}

export function cookieLines(cookies: unknown): HeaderLine[] | undefined {
	if (cookies === undefined || cookies === null) return [];
	if (!Array.isArray(cookies)) return undefined;
	return cookies.map((cookie) => ["Set-Cookie", String(cookie)]);
}

/** The body of a result; `undefined` for what is no text. */
export function bodyOf(body: unknown, isBase64Encoded: unknown): Buffer | undefined {
	if (body === undefined || body === null) return Buffer.alloc(0);
	if (typeof body !== "string") return undefined;
	return Buffer.from(body, isBase64Encoded === true ? "base64" : "utf8");
}

export function withContentType(lines: readonly HeaderLine[], contentType: string): readonly HeaderLine[] {
	return lines.some(([name]) => name.toLowerCase() === "content-type")
		? lines
		: [...lines, ["Content-Type", contentType]];
}

/**
 * What API Gateway's REST APIs and Function URLs do not let a function say: it reaches the client under another name.
 *
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
 */
const remapped: ReadonlySet<string> = new Set([
	"authorization",
	"connection",
	"content-length",
	"content-md5",
	"date",
	"expect",
	"host",
	"max-forwards",
	"proxy-authenticate",
	"server",
	"te",
	"trailer",
	"upgrade",
	"user-agent",
	"via",
	"warning",
	"www-authenticate",
]);

export function remap(lines: readonly HeaderLine[]): HeaderLine[] {
	return lines
		.filter(([name]) => name.toLowerCase() !== "transfer-encoding")
		.map(([name, value]) => [remapped.has(name.toLowerCase()) ? `x-amzn-Remapped-${name}` : name, value]);
}
