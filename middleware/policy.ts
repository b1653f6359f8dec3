import { isObject, type JsonRpcRequest, type JsonRpcResponse } from "../src/jsonrpc.ts";
import { listOfTexts, type OptionRules, validateOptions } from "../src/validate.ts";
import type { McpLambdaContext } from "./context.ts";

/**
 * What a value of a claim allows: tools and prompts by name, resources by URI. A `*` in one stands for any text; a URI with `..`, a
 * backslash or either in percent-encoding matches no part of one, only `"*"` alone.
 */
export type McpGrant = {
	readonly tools?: readonly string[] | undefined;
	readonly prompts?: readonly string[] | undefined;
	readonly resources?: readonly string[] | undefined;
};

type Kind = keyof McpGrant;
type Use = { readonly kind: Kind; readonly name: unknown };

const rules: OptionRules<McpGrant> = { tools: listOfTexts, prompts: listOfTexts, resources: listOfTexts };

/** A handler for Middy that answers what its caller may not use, and leaves the rest to `mcpStdioServer`. */
export type PolicyHandler = (
	event: unknown,
	context: McpLambdaContext,
) => Promise<readonly JsonRpcResponse[] | undefined>;

/**
 * A policy by a claim of the caller's token: what no value of the claim grants is refused, and left out of what is listed. A
 * caller without the claim may use nothing.
 *
 * The claims are those of `context.mcp.claims`: what API Gateway's authorizers have checked, in
 * `event.requestContext.authorizer`. A middleware before `mcpStdioServer` that checks tokens itself puts them there. Events of
 * other sources have none. A claim may be a list, or a text of values between spaces or commas. Methods that are not known here are
 * answered with -32601.
 *
 * Throws a TypeError for wrong grants.
 *
 * @param claim the claim's name, such as `"scope"` or `"cognito:groups"`
 * @param grants what each value of the claim allows
 *
 * @example
 * import middy from "@middy/core";
 * import { mcpStdioServer, policyByClaim } from "mcp-stdio-lambda/middy";
 *
 * const policy = policyByClaim("scope", {
 * 	"mcp:read": { tools: ["get-*"], resources: ["*"] },
 * 	"mcp:write": { tools: ["echo"] },
 * });
 * export const handler = middy(policy).use(mcpStdioServer({ command: "node", args: ["server.js"] }));
 */
export function policyByClaim(claim: string, grants: { readonly [value: string]: McpGrant }): PolicyHandler {
	if (typeof claim !== "string" || claim === "") throw new TypeError("claim must be the name of a claim");
	if (!isObject(grants)) throw new TypeError("grants must be an object with a grant for each value of the claim");
	for (const [value, grant] of Object.entries(grants))
		validateOptions(`grants[${JSON.stringify(value)}]`, grant, rules);

	return async function handlePolicy(_event, context) {
		const mcp = context.mcp;
		if (!mcp) return undefined;
		const values = valuesOf(mcp.claims?.[claim]);
		const granted = values.flatMap((value) => (Object.hasOwn(grants, value) ? [grants[value] as McpGrant] : []));
		const allows = ({ kind, name }: Use): boolean =>
			typeof name === "string" &&
			granted.some((grant) => grant[kind]?.some((pattern) => allowsName(kind, pattern, name)));

		async function answer(request: JsonRpcRequest): Promise<JsonRpcResponse[]> {
			const list = lists.get(request.method);
			if (list) return [keepAllowed(await (mcp as NonNullable<typeof mcp>).forward(request), list, allows)];
			if (harmless.has(request.method)) return [];
			const use = useOf(request);
			if (!use) return [unknownMethod(request)];
			return allows(use) ? [] : [refusal(request.id, use)];
		}

		return (await Promise.all(mcp.requests.map(answer))).flat();
	};
}

/** What uses nothing of the server, and may be asked without any claim. */
const harmless: ReadonlySet<string> = new Set(["initialize", "ping", "logging/setLevel"]);

type List = { readonly member: string; readonly kind: Kind; readonly name: string };

/** Where the things that a method lists stand in its result, and by what they are named. */
const lists: ReadonlyMap<string, List> = new Map<string, List>([
	["tools/list", { member: "tools", kind: "tools", name: "name" }],
	["prompts/list", { member: "prompts", kind: "prompts", name: "name" }],
	["resources/list", { member: "resources", kind: "resources", name: "uri" }],
	["resources/templates/list", { member: "resourceTemplates", kind: "resources", name: "uriTemplate" }],
]);

/** What a request uses; `undefined` for a method that this policy does not know. */
function useOf({ method, params }: JsonRpcRequest): Use | undefined {
	if (method === "tools/call") return { kind: "tools", name: params?.name };
	if (method === "prompts/get") return { kind: "prompts", name: params?.name };
	if (/^resources\/(read|subscribe|unsubscribe)$/.test(method)) return { kind: "resources", name: params?.uri };
	if (method !== "completion/complete") return undefined;
	const ref = isObject(params?.ref) ? params.ref : {};
	return ref.type === "ref/prompt" ? { kind: "prompts", name: ref.name } : { kind: "resources", name: ref.uri };
}

function keepAllowed(response: JsonRpcResponse, { member, kind, name }: List, allows: (use: Use) => boolean) {
	if (!("result" in response) || !isObject(response.result)) return response;
	const items = response.result[member];
	if (!Array.isArray(items)) return response;
	const kept = items.filter((item) => isObject(item) && allows({ kind, name: item[name] }));
	return { ...response, result: { ...response.result, [member]: kept } };
}

/** As of something that is not there: who may not use it need not know that it is. */
function refusal(id: JsonRpcRequest["id"], { kind, name }: Use): JsonRpcResponse {
	const what = { tools: "Unknown tool", prompts: "Unknown prompt", resources: "Resource not found" }[kind];
	const message = typeof name === "string" ? `${what}: ${name.slice(0, 200)}` : what;
	return { jsonrpc: "2.0", id, error: { code: kind === "resources" ? -32002 : -32602, message } };
}

/** An HTTP API writes a list as `[one two]`, a REST API as `one,two`; scopes stand between spaces. */
function valuesOf(claim: unknown): string[] {
	if (Array.isArray(claim)) return claim.filter((value) => typeof value === "string");
	if (typeof claim !== "string") return [];
	return claim
		.replace(/^\[(.*)\]$/s, "$1")
		.split(/[\s,]+/)
		.filter((value) => value !== "");
}

/** Of what a server may do for a method that is not known here, nothing can be granted. */
function unknownMethod({ id, method }: JsonRpcRequest): JsonRpcResponse {
	return { jsonrpc: "2.0", id, error: { code: -32601, message: `Method not found: ${method.slice(0, 200)}` } };
}

/** What leads out of a folder, however it is written. */
const wayOut = /\.\.|\\|%2e|%2f|%5c/i;

/** A star is no way out of the folder before it. */
function allowsName(kind: Kind, pattern: string, name: string): boolean {
	const isPart = kind === "resources" && pattern.includes("*") && pattern !== "*";
	return !(isPart && wayOut.test(name)) && matches(pattern, name);
}

/** Each part between the stars must come in its order. */
function matches(pattern: string, name: string): boolean {
	const [first = "", ...others] = pattern.split("*");
	if (others.length === 0) return name === pattern;
	const last = others.pop() as string;
	if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
	const end = name.length - last.length;
	let at = first.length;
	for (const part of others) {
		const found = name.indexOf(part, at);
		if (found === -1 || found + part.length > end) return false;
		at = found + part.length;
	}
	return true;
}
