/** The types of AgentCore Gateway's schemas. */
export type GatewayType = "string" | "number" | "integer" | "boolean" | "array" | "object";

export const gatewayTypes: ReadonlySet<unknown> = new Set<GatewayType>([
	"string",
	"number",
	"integer",
	"boolean",
	"array",
	"object",
]);

/** What a keyword that a schema of the gateway cannot have says of a value, for the description. */
export type Keyword = {
	/** `undefined` for a value that the keyword does not have; an empty text for one that says nothing. */
	readonly say: (value: unknown) => string | undefined;
	/** The type that the keyword is about. */
	readonly about?: GatewayType;
};

const withNumber =
	(say: (value: number) => string) =>
	(value: unknown): string | undefined =>
		typeof value === "number" ? say(value) : undefined;

const withText =
	(say: (value: string) => string) =>
	(value: unknown): string | undefined =>
		typeof value === "string" ? say(value) : undefined;

const whenTrue =
	(said: string) =>
	(value: unknown): string | undefined =>
		typeof value === "boolean" ? (value ? said : "") : undefined;

// Before draft 6, `exclusiveMinimum` was true or false.
const limit = (say: (value: number) => string, said: string) => (value: unknown) =>
	withNumber(say)(value) ?? whenTrue(said)(value);

/** The keywords that the description can say in place of the schema. */
export const sayable: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
	// Of a value that is null, the caller leaves the property out.
	["default", { say: (value) => (value === null ? "" : `default: ${quote(value)}`) }],
	["minimum", { say: withNumber((value) => `at least ${value}`), about: "number" }],
	["maximum", { say: withNumber((value) => `at most ${value}`), about: "number" }],
	["exclusiveMinimum", { say: limit((value) => `more than ${value}`, "not the minimum itself"), about: "number" }],
	["exclusiveMaximum", { say: limit((value) => `less than ${value}`, "not the maximum itself"), about: "number" }],
	["multipleOf", { say: withNumber((value) => `a multiple of ${value}`), about: "number" }],
	["minLength", { say: withNumber((value) => `characters: at least ${value}`), about: "string" }],
	["maxLength", { say: withNumber((value) => `characters: at most ${value}`), about: "string" }],
	["pattern", { say: withText((value) => `matches the regular expression ${value}`), about: "string" }],
	["format", { say: withText((value) => `format: ${value}`), about: "string" }],
	["contentEncoding", { say: withText((value) => `encoding: ${value}`), about: "string" }],
	["contentMediaType", { say: withText((value) => `media type: ${value}`), about: "string" }],
	["minItems", { say: withNumber((value) => `items: at least ${value}`), about: "array" }],
	["maxItems", { say: withNumber((value) => `items: at most ${value}`), about: "array" }],
	["uniqueItems", { say: whenTrue("no item twice"), about: "array" }],
	["minProperties", { say: withNumber((value) => `properties: at least ${value}`), about: "object" }],
	["maxProperties", { say: withNumber((value) => `properties: at most ${value}`), about: "object" }],
	["examples", { say: (value) => (Array.isArray(value) ? `examples: ${quoteAll(value)}` : undefined) }],
	["example", { say: (value) => `example: ${quote(value)}` }],
	["deprecated", { say: whenTrue("deprecated") }],
]);

/** What is said elsewhere, or says nothing about a value. */
export const silent: ReadonlySet<string> = new Set([
	"$schema",
	"$id",
	"id",
	"$comment",
	"$defs",
	"definitions",
	"$anchor",
	"$dynamicAnchor",
	"$recursiveAnchor",
	"$vocabulary",
	"title",
]);

/** Keywords that are about one type and that no description says. */
export const unsaid: ReadonlyMap<string, GatewayType> = new Map<string, GatewayType>([
	["patternProperties", "object"],
	["propertyNames", "object"],
	["dependentRequired", "object"],
	["dependentSchemas", "object"],
	["unevaluatedProperties", "object"],
	["contains", "array"],
	["minContains", "array"],
	["maxContains", "array"],
	["additionalItems", "array"],
	["unevaluatedItems", "array"],
]);

export function quote(value: unknown): string {
	try {
		return JSON.stringify(value) ?? String(value);
	} catch {
		// Nested too deeply, or in itself.
		return "a nested value";
	}
}

export function quoteAll(values: readonly unknown[]): string {
	return values.map(quote).join(", ");
}
