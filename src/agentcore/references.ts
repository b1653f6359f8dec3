import { isObject } from "../jsonrpc.ts";

/** What a reference within a schema leads to; `undefined` for one that leads nowhere, or out of the schema. */
export function resolveReference(root: unknown, reference: unknown): { readonly schema: unknown } | undefined {
	if (typeof reference !== "string") return undefined;
	if (reference === "#") return { schema: root };
	if (reference.startsWith("#/")) return follow(root, reference.slice(2));
	const anchor = reference.startsWith("#") ? reference.slice(1) : undefined;
	return find(root, (schema) =>
		anchor === undefined ? schema.$id === reference : schema.$anchor === anchor || schema.$dynamicAnchor === anchor,
	);
}

/** A JSON pointer in a fragment: https://www.rfc-editor.org/rfc/rfc6901#section-6 */
function follow(root: unknown, pointer: string): { readonly schema: unknown } | undefined {
	let schema = root;
	for (const token of pointer.split("/")) {
		const name = unescapeToken(token);
		if (typeof schema !== "object" || schema === null || !Object.hasOwn(schema, name)) return undefined;
		schema = (schema as Record<string, unknown>)[name];
	}
	return { schema };
}

function unescapeToken(token: string): string {
	let name = token;
	try {
		name = decodeURIComponent(token);
	} catch {
		// A percent sign that stands for itself.
	}
	return name.replaceAll("~1", "/").replaceAll("~0", "~");
}

/** How many values are looked through for an anchor: no schema of a tool has that many. */
const mostSearched = 100_000;

function find(
	root: unknown,
	matches: (schema: Readonly<Record<string, unknown>>) => boolean,
): { readonly schema: unknown } | undefined {
	const waiting = [root];
	for (let searched = 0; waiting.length > 0 && searched < mostSearched; searched += 1) {
		const value = waiting.pop();
		if (isObject(value) && matches(value)) return { schema: value };
		if (typeof value === "object" && value !== null) waiting.push(...Object.values(value));
	}
	return undefined;
}
