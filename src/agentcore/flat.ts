import { isObject } from "../jsonrpc.ts";
import { type GatewayType, gatewayTypes, quote, quoteAll, sayable, silent, unsaid } from "./keywords.ts";
import { resolveReference } from "./references.ts";

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

/** One schema on its way. */
export type Walk = { readonly root: unknown; visits: number };

const nothing: Flat = {
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

const empty: Flat = { ...nothing, isEmpty: true, losses: [undescribed("a value that is never allowed")] };

// References that lead to several others, again and again, make a schema of any size of a short text.
const mostVisits = 10_000;
const mostDepth = 40;

/** Resolves the references and the combinations of one level. Costs at most `mostVisits` for all levels of a schema. */
export function flatten(expression: Expression, walk: Walk, depth: number): Flat {
	walk.visits += 1;
	if (walk.visits > mostVisits || depth > mostDepth) return cut(expression);
	const inner = (part: Expression): Flat => flatten(part, walk, depth + 1);
	if ("all" in expression) return expression.all.map(inner).reduce(both);
	if ("any" in expression) return either(unlike(expression.any).map(inner), "anyOf");
	const { schema, above } = expression;
	if (schema === true) return nothing;
	if (schema === false) return empty;
	if (!isObject(schema)) return { ...nothing, losses: [undescribed("a schema that is none")] };
	const parts = [ownOf(schema, above, inner)];
	for (const keyword of ["$ref", "$dynamicRef", "$recursiveRef"]) {
		if (Object.hasOwn(schema, keyword)) parts.push(referred(schema[keyword], keyword, above, walk, inner));
	}
	const located = (part: unknown): Expression => ({ schema: part, above });
	for (const keyword of ["allOf", "anyOf", "oneOf"]) {
		if (!Object.hasOwn(schema, keyword)) continue;
		const branches: unknown = schema[keyword];
		if (!Array.isArray(branches) || branches.length === 0) {
			parts.push({ ...nothing, losses: [undescribed(keyword)] });
		} else if (keyword === "allOf") parts.push(...branches.map(located).map(inner));
		else parts.push(either(unlike(branches.map(located)).map(inner), keyword));
	}
	return parts.reduce(both);
}

function undescribed(lost: string): Lost {
	return { lost, described: false };
}

/** What becomes of items that nothing is said about. */
export const text: Expression = { schema: { type: "string" }, above: [] };

/** The rest of what is nested too deeply: its type and description. */
function cut(expression: Expression): Flat {
	if (!("schema" in expression)) return cut(("all" in expression ? expression.all : expression.any)[0] as Expression);
	const { schema } = expression;
	if (!isObject(schema)) return { ...nothing, types: ["object"], losses: [undescribed("what is nested too deeply")] };
	const { type, description } = schema;
	const types: readonly GatewayType[] = gatewayTypes.has(type) ? [type as GatewayType] : ["object"];
	const items = types[0] === "array" ? text : undefined;
	const kept = { ...nothing, types, items, description: textOf(description) };
	const isKept = Object.entries(schema).every(
		([name, value]) =>
			(name === "type" && value === types[0]) ||
			name === "description" ||
			(name === "items" && quote(value) === '{"type":"string"}'),
	);
	return isKept ? kept : { ...kept, losses: [undescribed("what is nested too deeply")] };
}

function referred(
	reference: unknown,
	keyword: string,
	above: readonly unknown[],
	walk: Walk,
	inner: (part: Expression) => Flat,
): Flat {
	const target = resolveReference(walk.root, reference);
	if (!target)
		return { ...nothing, losses: [undescribed(`${keyword} ${quote(reference)}, which is not in the schema`)] };
	if (above.includes(target.schema)) {
		return {
			...nothing,
			types: ["object"],
			losses: [undescribed(`${keyword} ${quote(reference)}, which is recursive`)],
		};
	}
	return inner({ schema: target.schema, above: [...above, target.schema] });
}

/** What a schema's own keywords say. */
function ownOf(
	schema: Readonly<Record<string, unknown>>,
	above: readonly unknown[],
	inner: (part: Expression) => Flat,
): Flat {
	const facts: string[] = [];
	const losses: Lost[] = [];
	const about = new Set<GatewayType>();
	const flat: { -readonly [K in keyof Flat]?: Flat[K] } = {};
	const located = (part: unknown): Expression => ({ schema: part, above });
	const say = (keyword: string, said: string | undefined): void => {
		if (said) facts.push(said);
		if (said !== "") losses.push({ lost: keyword, described: said !== undefined });
	};

	const readers: Readonly<Record<string, (value: unknown) => void>> = {
		type(value) {
			const all: readonly unknown[] = Array.isArray(value) ? value : [value];
			flat.types = [...new Set(all.filter((type): type is GatewayType => gatewayTypes.has(type)))];
			if (all.includes("null")) losses.push(undescribed("null"));
			if (all.length > 0 && all.every((type) => type === "null")) flat.isEmpty = true;
			for (const type of all) {
				if (type !== "null" && !gatewayTypes.has(type)) losses.push(undescribed(`type ${quote(type)}`));
			}
		},
		nullable(value) {
			if (value !== false) losses.push(undescribed("null"));
		},
		title: (value) => {
			flat.title = textOf(value);
		},
		description(value) {
			flat.description = textOf(value);
			if (typeof value !== "string") losses.push(undescribed("description"));
		},
		const: (value) => readValues([value], "const"),
		enum(value) {
			if (Array.isArray(value)) readValues(value, "enum");
			else losses.push(undescribed("enum"));
		},
		properties(value) {
			if (!isObject(value)) return void losses.push(undescribed("properties"));
			flat.properties = new Map(Object.entries(value).map(([name, part]) => [name, located(part)]));
		},
		required(value) {
			const names: readonly unknown[] = Array.isArray(value) ? value : [];
			flat.required = [...new Set(names.filter((name) => typeof name === "string"))];
			// In draft 3 it was true or false, at the property itself.
			if (flat.required.length !== names.length || !Array.isArray(value)) losses.push(undescribed("required"));
			else about.add("object");
		},
		items(value) {
			if (Array.isArray(value)) readTuple(value, "items");
			else if (!Array.isArray(schema.prefixItems)) flat.items = located(value);
			else if (value !== false) losses.push(undescribed("items"));
		},
		prefixItems(value) {
			if (Array.isArray(value)) readTuple(value, "prefixItems");
			else losses.push(undescribed("prefixItems"));
		},
		additionalProperties(value) {
			about.add("object");
			if (value === true || (isObject(value) && Object.keys(value).length === 0)) return;
			const other = isObject(value) ? inner(located(value)) : undefined;
			say("additionalProperties", other && `any other property: ${phraseOf(other)}`);
		},
	};

	function readValues(values: readonly unknown[], keyword: string): void {
		const given = values.filter((value) => value !== null);
		if (given.length < values.length) losses.push(undescribed("null"));
		if (given.length > 0) losses.push({ lost: keyword, described: true });
		else flat.isEmpty = true;
		flat.values = given;
	}

	function readTuple(parts: readonly unknown[], keyword: string): void {
		about.add("array");
		const [first, ...others] = parts.map(located);
		if (!first) return void losses.push(undescribed(keyword));
		flat.items = { any: [first, ...others] };
		say(keyword, `items in this order: ${[first, ...others].map((part) => phraseOf(inner(part))).join("; ")}`);
	}

	for (const [keyword, value] of Object.entries(schema)) {
		if (value === undefined || combinations.has(keyword)) continue;
		const read = Object.hasOwn(readers, keyword) ? readers[keyword] : undefined;
		const { say: fragmentOf, about: type = unsaid.get(keyword) } = sayable.get(keyword) ?? {};
		if (type) about.add(type);
		if (read) read(value);
		else if (fragmentOf) say(keyword, fragmentOf(value));
		else if (!silent.has(keyword)) losses.push(undescribed(keyword));
	}
	if (flat.properties) about.add("object");
	if (flat.items) about.add("array");
	return { ...nothing, ...flat, facts, losses, about: inferable.find((type) => about.has(type)) };
}

const combinations: ReadonlySet<string> = new Set(["$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf"]);

/** In the order in which they count. */
const inferable: readonly GatewayType[] = ["object", "array", "number", "string"];

function textOf(value: unknown): string | undefined {
	return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** Both must hold; what only one can say, the first says. */
function both(first: Flat, second: Flat): Flat {
	const values = commonValues(first.values, second.values);
	return {
		types: commonTypes(first.types, second.types),
		about: first.about ?? second.about,
		title: first.title ?? second.title,
		description: first.description ?? second.description,
		values,
		facts: [...new Set([...first.facts, ...second.facts])],
		properties: mergeProperties([first.properties, second.properties], (all) => ({ all })),
		required: [...new Set([...first.required, ...second.required])],
		items: first.items && second.items ? { all: [first.items, second.items] } : (first.items ?? second.items),
		isEmpty: first.isEmpty || second.isEmpty,
		losses: [...first.losses, ...second.losses],
	};
}

function commonTypes(first: readonly GatewayType[], second: readonly GatewayType[]): readonly GatewayType[] {
	if (first.length === 0) return second;
	if (second.length === 0) return first;
	const includes = (types: readonly GatewayType[], type: GatewayType): boolean =>
		types.includes(type) || (type === "integer" && types.includes("number"));
	const common = [...new Set([...first, ...second])].filter((type) => includes(first, type) && includes(second, type));
	return common.length > 0 ? common : first;
}

function commonValues(
	first: readonly unknown[] | undefined,
	second: readonly unknown[] | undefined,
): readonly unknown[] | undefined {
	if (!first || !second) return first ?? second;
	const texts = new Set(second.map(quote));
	const common = first.filter((value) => texts.has(quote(value)));
	return common.length > 0 ? common : first;
}

function mergeProperties(
	given: readonly Flat["properties"][],
	combine: (expressions: readonly Expression[]) => Expression,
): Flat["properties"] {
	const maps = given.filter((properties) => properties !== undefined);
	if (maps.length < 2) return maps[0];
	const merged = new Map<string, Expression[]>();
	for (const [name, expression] of maps.flatMap((properties) => [...properties])) {
		const others = merged.get(name);
		if (others) others.push(expression);
		else merged.set(name, [expression]);
	}
	return new Map(
		[...merged].map(([name, expressions]) => {
			const [only, ...others] = unlike(expressions);
			return [name, only && others.length === 0 ? only : combine(expressions)];
		}),
	);
}

/** The expressions without those that are the same as another. */
function unlike(expressions: readonly Expression[]): readonly Expression[] {
	const seen = new Set<unknown>();
	return expressions.filter((expression) => {
		const key = "schema" in expression ? keyOf(expression.schema) : expression;
		if (seen.has(key)) return false;
		seen.add(key);
		return true;
	});
}

function keyOf(schema: unknown): unknown {
	try {
		return JSON.stringify(schema);
	} catch {
		return schema;
	}
}

/** One of several must hold. */
function either(given: readonly Flat[], keyword: string): Flat {
	const [first, ...others] = given.filter(({ isEmpty }) => !isEmpty);
	const refused: Lost[] = given.flatMap(({ isEmpty, losses }) => (isEmpty ? losses : []));
	if (!first) return { ...nothing, isEmpty: true, losses: refused };
	if (others.length === 0) return { ...first, losses: [...refused, ...first.losses] };
	const branches = [first, ...others];
	const types = [...new Set(branches.map(typeOf))];
	const isNumeric = types.every((type) => type === "number" || type === "integer");
	if (types.length === 1 || isNumeric) {
		const like = alike(branches, isNumeric && types.length > 1 ? "number" : typeOf(first), keyword);
		return { ...like, losses: [...refused, ...like.losses] };
	}
	const also = `the server also takes: ${others.map(phraseOf).join("; ")}`;
	const losses = [...refused, ...first.losses, { lost: keyword, described: true }];
	return { ...first, types: [typeOf(first)], facts: [...first.facts, also], losses };
}

/** One of several that have the same type. */
function alike(branches: readonly Flat[], type: GatewayType, keyword: string): Flat {
	const areValues = branches.every(({ values, facts }) => values !== undefined && facts.length === 0);
	const isNamed = branches.some((branch) => labelOf(branch) !== undefined);
	const isPlain = branches.every((branch) => phraseOf(branch) === articles[typeOf(branch)]);
	const values = areValues && !isNamed ? branches.flatMap((branch) => branch.values ?? []) : undefined;
	const facts =
		values || isPlain ? [] : [`one of these: ${branches.map(areValues ? namedValues : phraseOf).join("; ")}`];
	const items = branches.flatMap((branch) => branch.items ?? []);
	const [firstItems] = items;
	const required = (branches[0] as Flat).required.filter((name) =>
		branches.every((branch) => branch.required.includes(name)),
	);
	return {
		...nothing,
		types: [type],
		values,
		facts,
		properties: mergeProperties(
			branches.map(({ properties }) => properties),
			(any) => ({ any }),
		),
		required,
		items: firstItems && (items.length === 1 ? firstItems : { any: items }),
		losses: [...branches.flatMap(({ losses }) => losses), ...(isPlain ? [] : [{ lost: keyword, described: true }])],
	};
}

function namedValues(branch: Flat): string {
	const label = labelOf(branch);
	const values = quoteAll(branch.values ?? []);
	return label === undefined ? values : `${values} (${label})`;
}

function labelOf({ title, description }: Flat): string | undefined {
	return title ?? description;
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

const articles: Readonly<Record<GatewayType, string>> = {
	string: "a string",
	number: "a number",
	integer: "an integer",
	boolean: "a boolean",
	array: "an array",
	object: "an object",
};

/** A schema in a few words. */
function phraseOf(flat: Flat): string {
	const { properties, required } = flat;
	const label = labelOf(flat);
	const names = [...(properties?.keys() ?? [])].map((name) => (required.includes(name) ? name : `${name}?`));
	const what = isAnything(flat) ? "any value" : articles[typeOf(flat)];
	const shape = typeOf(flat) === "object" && names.length > 0 ? `${what} {${names.join(", ")}}` : what;
	return [...(label === undefined ? [] : [label]), shape, ...factsOf(flat)].join(", ");
}
