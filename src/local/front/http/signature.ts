import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { HttpRequest } from "./front.ts";

type Key = { readonly accessKeyId: string; readonly secretAccessKey: string };

/** A signature is taken for so long before and after its date. */
const toleranceMs = 5 * 60_000;

/**
 * Whether a request carries the SigV4 signature of a key, in its `Authorization` header.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function isSignedBy(key: Key, service: string, region: string, request: HttpRequest): boolean {
	const { header } = request;
	const match =
		/^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
			header.authorization ?? "",
		);
	const [, accessKeyId, day = "", signedRegion, signedService, names = "", signature = ""] = match ?? [];
	const date = String(header["x-amz-date"] ?? "");
	const isInTime = Math.abs(request.time.getTime() - parseDate(date)) <= toleranceMs;
	const isInScope = signedRegion === region && signedService === service && date.startsWith(day);
	if (!match || accessKeyId !== key.accessKeyId || !isInTime || !isInScope) return false;
	const signedNames = names.split(";");
	if (!signedNames.includes("host")) return false;
	const bodyHash = sha256(request.body);
	const claimed = header["x-amz-content-sha256"];
	if (claimed !== undefined && claimed !== bodyHash) return false;
	const canonical = [
		request.method,
		canonicalPath(request.path),
		canonicalQuery(request.query),
		...signedNames.map((name) => `${name}:${canonicalValue(header[name])}`),
		"",
		names,
		bodyHash,
	].join("\n");
	const scope = `${day}/${region}/${service}/aws4_request`;
	const text = ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n");
	const signingKey = [day, region, service, "aws4_request"].reduce<Buffer | string>(
		(secret, part) => hmac(secret, part),
		`AWS4${key.secretAccessKey}`,
	);
	return timingSafeEqual(hmac(signingKey, text), Buffer.from(signature, "hex"));
}

function parseDate(date: string): number {
	const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
	return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function encode(text: string): string {
	return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** What is encoded in the request is encoded once more, for all services but S3. */
function canonicalPath(path: string): string {
	return path.split("/").map(encode).join("/");
}

function canonicalQuery(query: string): string {
	return [...new URLSearchParams(query)]
		.map(([name, value]) => [encode(name), encode(value)] as const)
		.sort(([a, x], [b, y]) => (a === b ? Number(x > y) - Number(x < y) : Number(a > b) - Number(a < b)))
		.map((pair) => pair.join("="))
		.join("&");
}

function canonicalValue(value: string | readonly string[] | undefined): string {
	return [value ?? ""].flat().join(",").trim().replace(/ +/g, " ");
}

function sha256(data: Buffer | string): string {
	return createHash("sha256").update(data).digest("hex");
}

function hmac(key: Buffer | string, text: string): Buffer {
	return createHmac("sha256", key).update(text).digest();
}
