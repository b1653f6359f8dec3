/** A request in the shape that Smithy's signer takes. */
export type SignerRequest = {
	protocol: string;
	hostname: string;
	method: string;
	path: string;
	query: Record<string, string[]>;
	headers: Record<string, string>;
	body?: Uint8Array;
};

/** A request that can be signed and sent: its URL is encoded so that every server reads the same query. */
export type SignableRequest = {
	readonly url: URL;
	readonly method: string;
	readonly headers: Headers;
	/** A stream is sent unsigned and once. */
	readonly body: Uint8Array<ArrayBuffer> | ReadableStream | undefined;
};

const unsignedPayload = "UNSIGNED-PAYLOAD";
const payloadHashHeader = "x-amz-content-sha256";

// What the signature sets anew, and what the connection decides.
const replaced = ["authorization", "x-amz-date", "x-amz-security-token", "date", "host", "content-length"];

// Beside those that Smithy's signer leaves out: what proxies and HTTP clients add to, change or take away.
const unsigned: ReadonlySet<string> = new Set([
	"accept-encoding",
	"accept-language",
	"content-length",
	"forwarded",
	"priority",
	"range",
	"traceparent",
	"tracestate",
	"via",
]);

/** Reads what `fetch` was given. A body is read as a whole, as its hash is part of the signature. */
export async function readRequest(input: string | URL | Request, init?: RequestInit): Promise<SignableRequest> {
	const request = new Request(input, init?.body == null ? init : ({ ...init, duplex: "half" } as RequestInit));
	const headers = new Headers(request.headers);
	const sendUnsigned = headers.get(payloadHashHeader) === unsignedPayload;
	for (const name of replaced) headers.delete(name);
	if (!sendUnsigned) headers.delete(payloadHashHeader);
	return {
		url: encodeUrl(new URL(request.url)),
		method: request.method,
		headers,
		body: await readBody(request, sendUnsigned),
	};
}

async function readBody(request: Request, sendUnsigned: boolean): Promise<SignableRequest["body"]> {
	if (!request.body) return undefined;
	return sendUnsigned ? request.body : new Uint8Array(await request.arrayBuffer());
}

/** The request as Smithy's signer wants it: path as sent, query decoded. */
export function toSignerRequest(request: SignableRequest, signPathOnce: boolean): SignerRequest {
	const { url } = request;
	const query: Record<string, string[]> = {};
	for (const [name, value] of url.searchParams) {
		// Smithy's signer leaves both out of what it signs: the server would answer 403.
		if (name === "__proto__" || name.toLowerCase() === "x-amz-signature") {
			throw new TypeError(`The URL has a query parameter named ${name}, which cannot be signed: take it out`);
		}
		query[name] = [...(Object.hasOwn(query, name) ? (query[name] ?? []) : []), value];
	}
	return {
		protocol: url.protocol,
		hostname: url.hostname,
		method: request.method,
		path: signPathOnce ? url.pathname.split("/").map(encodeOnce).join("/") : url.pathname,
		query,
		headers: { ...Object.fromEntries(request.headers), host: url.host },
		...(request.body instanceof Uint8Array && { body: request.body }),
	};
}

/** Names of headers that are sent but not signed. */
export function unsignableHeaders(headers: Headers): Set<string> {
	const names = new Set(unsigned);
	for (const [name, value] of headers) {
		// Outside printable ASCII, the bytes sent and the bytes signed would differ.
		if (name.startsWith("x-forwarded-") || !/^[\x20-\x7e]*$/.test(value)) names.add(name);
	}
	return names;
}

export function isRedirect(response: Response): boolean {
	return [301, 302, 303, 307, 308].includes(response.status) && response.headers.has("location");
}

/** Where a redirect leads and how, by the rules of fetch. */
export function followRedirect(request: SignableRequest, response: Response): SignableRequest {
	const url = new URL(response.headers.get("location") ?? "", request.url);
	const target = describeUrl(url);
	if (url.origin !== request.url.origin) {
		throw new TypeError(
			`${describeUrl(request.url)} redirects to ${target}: a signed request is not sent to another origin; call that URL itself`,
		);
	}
	const becomesGet =
		(response.status === 303 && request.method !== "GET" && request.method !== "HEAD") ||
		(response.status <= 302 && request.method === "POST");
	if (becomesGet) {
		const headers = new Headers(request.headers);
		for (const name of [...headers.keys()]) {
			if (name.startsWith("content-") || name === payloadHashHeader) headers.delete(name);
		}
		return { url: encodeUrl(url), method: "GET", headers, body: undefined };
	}
	if (request.body instanceof ReadableStream) {
		throw new TypeError(`${describeUrl(request.url)} redirects to ${target}: a streamed body cannot be sent again`);
	}
	return { ...request, url: encodeUrl(url) };
}

/** For messages: without the query, which may hold secrets. */
export function describeUrl(url: URL): string {
	return `${url.origin}${url.pathname}`;
}

// In a query, + is a space to some servers and a plus to others: what is sent has one meaning, and it is the one signed.
function encodeUrl(url: URL): URL {
	url.hash = "";
	const pairs = url.search.slice(1).split("&").filter(Boolean).map(encodePair);
	url.search = pairs.join("&");
	return url;
}

function encodePair(pair: string): string {
	const [name = "", ...rest] = pair.split("=");
	return `${encodeParameter(name)}=${encodeParameter(rest.join("="))}`;
}

function encodeParameter(text: string): string {
	return encodeOnce(text.replaceAll("+", "%20"));
}

function encodeOnce(text: string): string {
	try {
		return encode(decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, "%25")));
	} catch (error) {
		throw new TypeError(`The URL has ${JSON.stringify(text)}, which is not UTF-8 when decoded: encode it as UTF-8`, {
			cause: error,
		});
	}
}

function encode(text: string): string {
	return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
