import { type GatewayType, gatewayTypes, quote, quoteAll } from "./keywords.ts";

/** A schema where it was found, with the targets of references that lead to it; or several that must hold, or of which one must. */
export type Expression =
	| { readonly schema: unknown; readonly above: readonly unknown[] }
	| { readonly all: readonly Expression[] }
	| { readonly any: readonly Expression[] };

/** What was lost of a keyword, and whether the description says it instead. */
export type Lost = { readonly lost: string; readonly described: boolean };

/** One level of a schema, without references and without combinations. */
export type Flat = {
	/** What the value may be; none where nothing is said about that. */
	readonly types: readonly GatewayType[];
	/** What the keywords are about, where no type is given. */
	readonly about: GatewayType | undefined;
	readonly title: string | undefined;
	readonly description: string | undefined;
	/** The only values that are allowed. */
	readonly values: readonly unknown[] | undefined;
	/** What the description is to say, in fragments of sentences. */
	readonly facts: readonly string[];
	readonly properties: ReadonlyMap<string, Expression> | undefined;
	readonly required: readonly string[];
	readonly items: Expression | undefined;
	/** Whether no value that a caller could give is allowed: null, which the gateway refuses, or none at all. */
	readonly isEmpty: boolean;
	readonly losses: readonly Lost[];
};

export const nothing: Flat = {
	types: [],
	about: undefined,
	title: undefined,
	description: undefined,
	values: undefined,
	facts: [],
	properties: undefined,
	required: [],
	items: undefined,
	isEmpty: false,
	losses: [],
};

export function undescribed(lost: string): Lost {
	return { lost, described: false };
}

export function textOf(value: unknown): string | undefined {
	return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** The one type that a value has in the gateway's schema. */
export function typeOf({ types, about, values }: Flat): GatewayType {
	const [first, second, third] = types;
	// A number is an integer as well.
	if (second && !third && types.includes("number") && types.includes("integer")) return "number";
	if (first) return first;
	if (about === "object" || about === "array") return about;
	return (values && kindOf(values)) ?? about ?? "string";
}

function kindOf(values: readonly unknown[]): GatewayType | undefined {
	const kinds = new Set(values.map((value) => (Array.isArray(value) ? "array" : typeof value)));
	const [kind] = kinds;
	return kinds.size === 1 && gatewayTypes.has(kind) ? (kind as GatewayType) : undefined;
}

/** Whether a schema says nothing of what a value is. */
export function isAnything(flat: Flat): boolean {
	return flat.types.length === 0 && flat.about === undefined && flat.values === undefined;
}

/** What the description is to say, in fragments. */
export function factsOf(flat: Flat): readonly string[] {
	const { types, values, facts } = flat;
	const type = typeOf(flat);
	const others = types.filter((other) => other !== type && !(type === "number" && other === "integer"));
	return [
		...(values === undefined || values.length === 0
			? []
			: [values.length === 1 ? `always ${quoteAll(values)}` : `one of: ${[...new Set(values.map(quote))].join(", ")}`]),
		...facts,
		...(others.length === 0 ? [] : [`the server also takes: ${others.map((other) => articles[other]).join("; ")}`]),
	];
}

export const articles: Readonly<Record<GatewayType, string>> = {
	string: "a string",
	number: "a number",
	integer: "an integer",
	boolean: "a boolean",
	array: "an array",
	object: "an object",
};

export function labelOf({ title, description }: Flat): string | undefined {
	return title ?? description;
}

/** A schema in a few words. */
export function phraseOf(flat: Flat): string {
	const { properties, required } = flat;
	const label = labelOf(flat);
	const names = [...(properties?.keys() ?? [])].map((name) => (required.includes(name) ? name : `${name}?`));
	const what = isAnything(flat) ? "any value" : articles[typeOf(flat)];
	const shape = typeOf(flat) === "object" && names.length > 0 ? `${what} {${names.join(", ")}}` : what;
	return [...(label === undefined ? [] : [label]), shape, ...factsOf(flat)].join(", ");
}
