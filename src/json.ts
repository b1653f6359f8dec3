/** Node.js 22 has it: https://tc39.es/proposal-json-parse-with-source/ */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/**
 * Finds what may be a number that JavaScript would write in another way: many digits, an exponent, zeros at the end of a
 * fraction or at its start, a negative zero. It begins with characters that are rare, so that long strings are skipped.
 */
const candidates =
	/[:,[]\s*(?=-0[,\]}\s]|-?(?:\d[\d.]{15}|\d+[eE]|0\.0{6}|\d+\.\d*(?:0[,\]}\s]|[eE])))(-?[\d.]+(?:[eE][+-]?\d+)?)/g;

/** Longer texts keep JavaScript's digits: a million numbers would hold the process up for a second. */
const longestExactText = 1024 * 1024;

/**
 * Parses JSON so that writing it again gives the digits that were read, whatever JavaScript's numbers can hold:
 * 1915883588174806058, 1.0, 1e400. To a program the numbers are ordinary ones. An object or array with such a number has a
 * method `toJSON` that is not enumerable and writes what was read, unless the member has been changed since.
 *
 * Throws a SyntaxError for what is not JSON. Texts over 1 MiB keep JavaScript's own digits.
 */
export function parseJson(text: string): unknown {
	if (text.length > longestExactText || !mayLoseDigits(text) || text.includes(placeholder)) return JSON.parse(text);
	// A visit of each value by JSON.parse itself would cost twice as much.
	const sources: string[] = [];
	const marked = text.replaceAll(tokens, (token) => {
		if (token.startsWith('"') || String(Number(token)) === token) return token;
		return `"${placeholder}${sources.push(token) - 1}"`;
	});
	const value: unknown = JSON.parse(marked);
	try {
		restore(value, sources);
		return value;
	} catch {
		// Nesting that is too deep to be walked.
		return JSON.parse(text);
	}
}

function mayLoseDigits(text: string): boolean {
	candidates.lastIndex = 0;
	for (let match = candidates.exec(text); match; match = candidates.exec(text)) {
		const [, digits = ""] = match;
		if (String(Number(digits)) !== digits) return true;
	}
	return false;
}

// Only where a value stands, and only what is a number by JSON's grammar: what is not JSON must not become it.
const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|(?<=[:,[\s])-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?=\s*[,\]}])/g;

/** Stands for a number while a text is parsed; from Unicode's private use, so that hardly any text has it. */
const placeholder = "\ue000#";

/** Puts the numbers in place of their placeholders. */
function restore(holder: unknown, sources: readonly string[]): void {
	if (typeof holder !== "object" || holder === null) return;
	const members = holder as Record<string | number, unknown>;
	const keys = Array.isArray(holder) ? undefined : Object.keys(holder);
	const length = keys ? keys.length : (holder as unknown[]).length;
	let kept: Kept[] | undefined;
	for (let index = 0; index < length; index += 1) {
		const key = keys ? (keys[index] as string) : index;
		const member = members[key];
		if (typeof member === "object") restore(member, sources);
		if (typeof member !== "string" || !member.startsWith(placeholder)) continue;
		const source = sources[Number(member.slice(placeholder.length))] as string;
		const value = Number(source);
		setMember(members, key, value);
		kept ??= [];
		kept.push({ key, value, source });
	}
	// A member that was read is not hidden by a method.
	if (!kept || Object.hasOwn(holder, "toJSON")) return;
	keptOf.set(holder, kept);
	Object.defineProperty(holder, "toJSON", { value: writeSource, configurable: true, writable: true });
}

function setMember(holder: Record<string | number, unknown>, key: string | number, value: unknown): void {
	if (key === "__proto__") Object.defineProperty(holder, key, { value });
	else holder[key] = value;
}

type Kept = { readonly key: string | number; readonly value: number; readonly source: string };

const keptOf = new WeakMap<object, readonly Kept[]>();

function writeSource(this: Record<string, unknown>): unknown {
	const copy = (Array.isArray(this) ? [...this] : { ...this }) as Record<string, unknown>;
	for (const { key, value, source } of keptOf.get(this) ?? []) {
		if (Object.is(copy[key], value)) setMember(copy, key, rawJSON(source));
	}
	return copy;
}

/** Nesting that every stack can write; V8 gives up at several thousand. */
const safeDepth = 1000;

/** Whether a value that was parsed from a text can be written again: JSON.parse takes deeper nesting than JSON.stringify. */
export function canBeWritten(value: unknown, text: string | Buffer): boolean {
	if (opensAtMost(text, safeDepth)) return true;
	try {
		// On a stack that is as deep as it gets here; the caller's may have less room than that.
		JSON.stringify([[[[[[[[value]]]]]]]]);
		return depthOf(text) < mostDepth;
	} catch {
		return false;
	}
}

/** Well below what V8 can write from an empty stack (about 7,000 levels), for it is written from a deeper one. */
const mostDepth = 4000;

function opensAtMost(text: string | Buffer, limit: number): boolean {
	if (text.length <= 2 * limit) return true;
	let count = 0;
	for (const bracket of ["[", "{"]) {
		for (let index = text.indexOf(bracket); index !== -1; index = text.indexOf(bracket, index + 1)) {
			count += 1;
			if (count > limit) return false;
		}
	}
	return true;
}

/** The deepest nesting, with brackets within strings left out. */
function depthOf(text: string | Buffer): number {
	const source = text.toString();
	let depth = 0;
	let deepest = 0;
	for (const [token] of source.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[[{]|[\]}]/g)) {
		if (token === "[" || token === "{") {
			depth += 1;
			deepest = Math.max(deepest, depth);
		} else if (token === "]" || token === "}") depth -= 1;
	}
	return deepest;
}
