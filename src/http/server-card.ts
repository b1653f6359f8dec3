import { legacyVersions } from "../protocol/revisions.ts";
import { type HttpAnswer, type HttpRequestHead, jsonAnswer, readableByAll, withoutSlash } from "./message.ts";
import type { ServerCard } from "./options.ts";
import { endpointUrl } from "./resource-metadata.ts";

// https://github.com/modelcontextprotocol/experimental-ext-server-card/blob/main/docs/discovery.md, as of 2026-07-24.
const schema = "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json";
const mediaType = "application/mcp-server-card+json";
const catalogPath = "/.well-known/ai-catalog.json";
const suffix = "/server-card";

const headers = {
	...readableByAll,
	"Access-Control-Expose-Headers": "ETag",
	"cache-control": "public, max-age=3600",
};

type Endpoint = { readonly path: string | undefined; readonly resource: string | undefined };

/** Answers what asks for the card of the server, or for the catalog that says where it is; `undefined` for anything else. */
export function answerServerCard(
	request: HttpRequestHead,
	card: ServerCard | undefined,
	{ path: endpointPath, resource }: Endpoint,
): HttpAnswer | undefined {
	const { method, path } = request;
	if (!card || !["GET", "HEAD", "OPTIONS"].includes(method)) return undefined;
	const isCatalog = path === catalogPath;
	const endpoint = isCatalog ? (endpointPath ?? "") : endpointOf(path, endpointPath);
	if (endpoint === undefined) return undefined;
	if (method === "OPTIONS") return { status: 204, headers, body: "" };
	const url = resource ?? endpointUrl(request, endpoint);
	const [type, document] = isCatalog
		? ["application/ai-catalog+json", catalogOf(card, url)]
		: [mediaType, withRemotes(card, url)];
	return cacheable(request, jsonAnswer(200, document, { ...headers, "content-type": type }));
}

/** The path of the endpoint whose card is asked for. */
function endpointOf(path: string, endpointPath: string | undefined): string | undefined {
	if (!path.endsWith(suffix)) return undefined;
	const endpoint = path.slice(0, -suffix.length);
	return endpointPath === undefined || endpoint === withoutSlash(endpointPath) ? endpoint : undefined;
}

function withRemotes(card: ServerCard, url: string | undefined): object {
	const remotes = url && [{ type: "streamable-http", url, supportedProtocolVersions: legacyVersions }];
	return { $schema: schema, ...(remotes && { remotes }), ...card };
}

/** The card is hosted where its URL is known, else it stands in the catalog itself. */
function catalogOf(card: ServerCard, url: string | undefined): object {
	const [namespace = "", name] = card.name.split("/");
	const identifier = `urn:air:${namespace.split(".").reverse().join(".")}:mcp:${name}`;
	const place = url ? { url: `${withoutSlash(url)}${suffix}` } : { data: withRemotes(card, url) };
	return { specVersion: "1.0", entries: [{ identifier, type: mediaType, ...place }] };
}

function cacheable({ header }: HttpRequestHead, answer: HttpAnswer): HttpAnswer {
	// Loading it takes longer than all of this package: only those who serve a card pay for it. Node.js 22.0 to 22.2 have no tag.
	const crypto = process.getBuiltinModule?.("node:crypto");
	if (!crypto) return answer;
	const etag = `"${crypto.createHash("sha256").update(answer.body).digest("base64url").slice(0, 22)}"`;
	const known = (header("if-none-match") ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
	const tagged = { ...answer, headers: { ...answer.headers, etag } };
	return known.includes(etag) || known.includes("*") ? { ...tagged, status: 304, body: "" } : tagged;
}
