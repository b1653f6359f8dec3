import { articles, type Expression, type Flat, type Lost, labelOf, nothing, phraseOf, typeOf } from "./flat.ts";
import { type GatewayType, quote, quoteAll } from "./keywords.ts";

/** Both must hold; what only one can say, the first says. */
export function both(first: Flat, second: Flat): Flat {
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
export function unlike(expressions: readonly Expression[]): readonly Expression[] {
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
export function either(given: readonly Flat[], keyword: string): Flat {
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
