import { createHash, createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as a server received it. */
export type ReceivedRequest = {
	readonly method: string;
	/** Path and query, as on the wire. */
	readonly target: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: Uint8Array;
};

export const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/**
 * Recomputes a signature from the bytes that arrived.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function explainRefusal(request: ReceivedRequest, secretKey: string, now: number): string | undefined {
	const match =
		/^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
			request.headers.authorization ?? "",
		);
	if (!match) return "no signature";
	const [, , day = "", region = "", service = "", names = "", signature] = match;
	const date = request.headers["x-amz-date"] ?? "";
	const time = Date.parse(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5"));
	if (!(Math.abs(time - now) <= 300_000)) return "clock skew";
	if (!date.startsWith(day)) return "date differs from scope";
	const signed = names.split(";");
	if (!signed.includes("host")) return "host is not signed";
	const missing = Object.keys(request.headers).find((name) => name.startsWith("x-amz-") && !signed.includes(name));
	if (missing) return `${missing} is not signed`;
	const declared = request.headers["x-amz-content-sha256"];
	const actual = sha256(request.body);
	if (declared !== undefined && declared !== actual && declared !== "UNSIGNED-PAYLOAD") return "body differs";
	const [path = "", ...query] = request.target.split("?");
	const canonical = [
		request.method,
		canonicalPath(path, service),
		canonicalQuery(query.join("?")),
		...signed.map((name) => `${name}:${(request.headers[name] ?? "").trim().replace(/ +/g, " ")}`),
		"",
		names,
		declared ?? actual,
	].join("\n");
	const toSign = `AWS4-HMAC-SHA256\n${date}\n${day}/${region}/${service}/aws4_request\n${sha256(canonical)}`;
	const key = [day, region, service, "aws4_request"].reduce<string | Buffer>(hmac, `AWS4${secretKey}`);
	return hmac(key, toSign).toString("hex") === signature ? undefined : `signature differs for\n${canonical}`;
}

function canonicalPath(path: string, service: string): string {
	if (service === "s3") return uriEncode(Buffer.from(percentDecode(path))).replaceAll("%2F", "/");
	const segments: string[] = [];
	for (const segment of path.split("/")) {
		if (segment === "..") segments.pop();
		else if (segment !== "" && segment !== ".") segments.push(segment);
	}
	const slash = segments.length > 0 && /\/\.{0,2}$/.test(path) ? "/" : "";
	return `/${segments.map((segment) => uriEncode(Buffer.from(segment))).join("/")}${slash}`;
}

function canonicalQuery(query: string): string {
	if (query === "") return "";
	return query
		.split("&")
		.map((pair) => {
			const at = pair.indexOf("=");
			const parts = at === -1 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
			return parts.map((part) => uriEncode(percentDecode(part)));
		})
		.sort(([a = "", b = ""], [c = "", d = ""]) => (a < c ? -1 : a > c ? 1 : b < d ? -1 : b > d ? 1 : 0))
		.map((pair) => pair.join("="))
		.join("&");
}

function percentDecode(text: string): Buffer {
	return Buffer.from(
		text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
		"latin1",
	);
}

function uriEncode(bytes: Buffer): string {
	return [...bytes]
		.map((byte) => {
			const char = String.fromCharCode(byte);
			return /[A-Za-z0-9\-._~]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
		})
		.join("");
}

const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

type VerifyingServer = AsyncDisposable & {
	readonly url: string;
	readonly received: readonly ReceivedRequest[];
	readonly refusals: readonly string[];
};

/** A server on loopback that answers as AWS does to what is not signed well, and hands the rest to `answer`. */
export async function startVerifyingServer(
	answer: (request: IncomingMessage, response: Parameters<RequestListener>[1], body: Buffer) => void,
	clock: () => number = Date.now,
): Promise<VerifyingServer> {
	const received: ReceivedRequest[] = [];
	const refusals: string[] = [];
	const server = createServer(async (incoming, response) => {
		const chunks: Buffer[] = [];
		for await (const chunk of incoming) chunks.push(chunk);
		const request = {
			method: incoming.method ?? "",
			target: incoming.url ?? "",
			headers: incoming.headers as Record<string, string>,
			body: Buffer.concat(chunks),
		};
		received.push(request);
		const refusal = explainRefusal(request, secret, clock());
		response.setHeader("date", new Date(clock()).toUTCString());
		if (refusal === undefined) return answer(incoming, response, request.body);
		refusals.push(refusal);
		response.writeHead(403, { "x-amzn-errortype": "InvalidSignatureException" }).end(refusal);
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		received,
		refusals,
		async [Symbol.asyncDispose]() {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}
