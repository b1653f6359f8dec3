import { isObject } from "../jsonrpc.ts";
import { both, either, unlike } from "./combine.ts";
import { type Expression, type Flat, nothing, textOf, undescribed } from "./flat.ts";
import { type GatewayType, gatewayTypes, quote } from "./keywords.ts";
import { ownOf } from "./own-keywords.ts";
import { resolveReference } from "./references.ts";

/** One schema on its way. */
export type Walk = { readonly root: unknown; visits: number };

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
