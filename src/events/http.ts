import type { HttpAnswer, HttpHead, HttpRequest } from "../http/message.ts";
import type { HttpEvent } from "./http-event.ts";

type Values = Readonly<Record<string, string | readonly string[] | undefined>> | null | undefined;

/** Looks headers up, whatever their case; of two records the later one counts, which may have lists of values. */
export function headerLookup(...records: readonly Values[]): HttpRequest["header"] {
	let known: Map<string, string> | undefined;
	return (name) => {
		known ??= new Map(
			records.flatMap((record) =>
				Object.entries(record ?? {}).flatMap(([key, value]): [string, string][] => {
					const text = Array.isArray(value) ? value.join(", ") : value;
					return typeof text === "string" ? [[key.toLowerCase(), text]] : [];
				}),
			),
		);
		return known.get(name);
	};
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
	parameters: Readonly<Record<string, string | undefined>> | null | undefined,
	stage: string | undefined,
): ApiPath {
	const filled = route?.replaceAll(/\{([^}+]+)\+?\}/g, (_, name: string) => parameters?.[name] ?? "");
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
