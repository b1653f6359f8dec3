import type { HttpAnswer, HttpHead, HttpRequest } from "../http/message.ts";
import { isObject } from "../jsonrpc.ts";
import type { HttpEvent } from "./http-event.ts";

/** Looks headers up, whatever their case; of two records the later one counts, which may have lists of values. */
export function headerLookup(...records: readonly unknown[]): HttpRequest["header"] {
	let known: Map<string, string> | undefined;
	return (name) => {
		known ??= new Map(
			records.flatMap((record) =>
				Object.entries(isObject(record) ? record : {}).flatMap(([key, value]): [string, string][] => {
					const text = Array.isArray(value) ? value.filter((item) => typeof item === "string").join(", ") : value;
					return typeof text === "string" ? [[key.toLowerCase(), text]] : [];
				}),
			),
		);
		return known.get(name);
	};
}

/** A member that AWS sends as text; the fallback for anything else, which events of tests and of other senders have. */
export function textOr<T>(value: unknown, fallback: T): string | T {
	return typeof value === "string" ? value : fallback;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The body as text; `undefined` where its bytes are no UTF-8. */
export function bodyText(body: unknown, isBase64Encoded: unknown): string | undefined {
	if (typeof body !== "string") return "";
	if (isBase64Encoded !== true) return body;
	try {
		return decoder.decode(Buffer.from(body, "base64"));
	} catch {
		return undefined;
	}
}

/** A path as an API sees it, and what its front has put before it. */
export type ApiPath = { readonly path: string; readonly basePath: string };

/**
 * Cuts a stage or a base path: what stands before the route that was matched, such as `/{proxy+}` with its parameters filled
 * in. Without a route only the name of the stage can be told.
 */
export function apiPath(
	whole: string,
	route: string | undefined,
	parameters: unknown,
	stage: string | undefined,
): ApiPath {
	const given: Readonly<Record<string, unknown>> = isObject(parameters) ? parameters : {};
	const filled = route?.replaceAll(/\{([^}+]+)\+?\}/g, (_, name: string) => textOr(given[name], ""));
	if (filled?.startsWith("/") && filled !== "/" && whole.endsWith(filled)) {
		return { path: filled, basePath: whole.slice(0, -filled.length) };
	}
	const prefix = `/${stage}`;
	if (stage === undefined || !(whole === prefix || whole.startsWith(`${prefix}/`)))
		return { path: whole, basePath: "" };
	return { path: whole.slice(prefix.length) || "/", basePath: prefix };
}

/** The origin that a front knows from its own configuration. */
export function originOf(domainName: unknown): string | undefined {
	if (typeof domainName !== "string" || domainName === "") return undefined;
	const isLocal = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(domainName);
	return `${isLocal ? "http" : "https"}://${domainName}`;
}

/** The result and the prelude in the form that most sources share. */
export function plainResult({ status, headers, body }: HttpAnswer): unknown {
	return { statusCode: status, headers, body, isBase64Encoded: false };
}

export function plainPrelude({ status, headers }: HttpHead): ReturnType<HttpEvent["prelude"]> {
	return { statusCode: status, headers: { ...headers } };
}
