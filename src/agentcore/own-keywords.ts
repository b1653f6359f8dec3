import { isObject } from "../jsonrpc.ts";
import { type Expression, type Flat, type Lost, nothing, phraseOf, textOf, undescribed } from "./flat.ts";
import { type GatewayType, gatewayTypes, quote, sayable, silent, unsaid } from "./keywords.ts";

/** What a schema's own keywords say. */
export function ownOf(
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
