import { isObject } from "./jsonrpc.ts";

/** How one option is checked; `undefined` always means "use the default", unless the option is required. */
export type OptionRule = {
	readonly expected: string;
	readonly accepts: (value: unknown) => boolean;
	readonly required?: boolean;
	/** What came may be a secret even where it is a string: it is not shown. */
	readonly secret?: boolean;
	/** Says which member of a value is wrong, where that says more than the value as a whole. */
	readonly problem?: (value: unknown) => { readonly member: string; readonly what: string } | undefined;
};

/** The rules of an options type: one for each of its options. */
export type OptionRules<T> = { readonly [K in keyof Required<T>]: OptionRule };

/** Checks options against their rules; throws a TypeError that names the option, what was expected and what came. */
export function validateOptions<T>(where: string, input: T, rules: OptionRules<T>): void {
	if (typeof input !== "object" || input === null || Array.isArray(input)) {
		throw new TypeError(`${where} must be an object, not ${show(input, true)}`);
	}
	const known: Readonly<Record<string, OptionRule>> = rules;
	for (const name in input) {
		const rule = Object.hasOwn(known, name) ? known[name] : undefined;
		if (!rule) {
			throw new TypeError(`${where}.${name} is not an option; the options are ${Object.keys(known).join(", ")}`);
		}
		const value: unknown = input[name];
		if (value !== undefined && !rule.accepts(value)) {
			const problem = rule.problem?.(value);
			if (problem) throw new TypeError(`${where}.${name}${problem.member} ${problem.what}`);
			throw new TypeError(`${where}.${name} must be ${rule.expected}, not ${show(value, rule.secret)}`);
		}
	}
	for (const name in known) {
		const rule = known[name];
		if (rule?.required && input[name as keyof typeof input] === undefined) {
			throw new TypeError(`${where}.${name} is missing; it must be ${rule.expected}`);
		}
	}
}

export const text: OptionRule = {
	expected: "a string that is not empty",
	accepts: (value) => isText(value) && value !== "",
};

export const trueOrFalse: OptionRule = { expected: "a boolean", accepts: (value) => typeof value === "boolean" };

export const callable: OptionRule = { expected: "a function", accepts: (value) => typeof value === "function" };

export const duration: OptionRule = {
	expected: "a number of milliseconds, 0 or more",
	accepts: (value) => typeof value === "number" && value >= 0,
};

export const environmentVariables: OptionRule = {
	expected: "an object of names (without =) and strings",
	secret: true,
	accepts: (value) =>
		isObject(value) &&
		Object.entries(value).every(([name, item]) => name !== "" && !name.includes("=") && isText(name) && isText(item)),
	problem: problemOfVariables,
};

/** `env: { TOKEN: process.env.TOKEN }` is the common case: the variable is not set. */
function problemOfVariables(value: unknown): { readonly member: string; readonly what: string } | undefined {
	if (!isObject(value)) return undefined;
	for (const [name, item] of Object.entries(value)) {
		if (name === "" || name.includes("=") || !isText(name)) {
			// What stands behind the sign is the value.
			const shown = JSON.stringify(name.slice(0, 100).replace(/=.*/s, "=…"));
			return { member: "", what: `must be ${environmentVariables.expected}; ${shown} is no name` };
		}
		const member = /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name.slice(0, 100))}]`;
		if (typeof item !== "string") return { member, what: `must be a string, not ${kindOf(item)}` };
		if (!isText(item)) return { member, what: "must be a string without NUL characters" };
	}
	return undefined;
}

function kindOf(value: unknown): string {
	if (value === undefined || value === null) return String(value);
	if (typeof value === "object") return Array.isArray(value) ? "an array" : "an object";
	return `a ${typeof value}`;
}

export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): OptionRule {
	return {
		expected: max === Number.MAX_SAFE_INTEGER ? `an integer of ${min} or more` : `an integer from ${min} to ${max}`,
		accepts: (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
	};
}

export function oneOf(...values: readonly string[]): OptionRule {
	return {
		expected: values.map((value) => JSON.stringify(value)).join(" or "),
		accepts: (value) => values.includes(value as string),
	};
}

export const listOfTexts: OptionRule = {
	expected: "an array of strings",
	secret: true,
	accepts: (value) => Array.isArray(value) && value.every(isText),
	problem: (value) => {
		const index = Array.isArray(value) ? value.findIndex((item) => !isText(item)) : -1;
		if (!Array.isArray(value) || index === -1) return undefined;
		const item: unknown = value[index];
		const kind = typeof item === "string" ? "a NUL character" : kindOf(item);
		return { member: "", what: `must be an array of strings, not one with ${kind} at index ${index}` };
	},
};

/** A string that can be given to the operating system. */
export function isText(value: unknown): value is string {
	return typeof value === "string" && !value.includes("\0");
}

// What is inside objects and arrays stays out of the message: it may be a secret.
function show(value: unknown, secret = false): string {
	if (typeof value === "function") return "a function";
	if (typeof value === "string" && secret) return "a string";
	if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
	return (typeof value === "string" ? JSON.stringify(value) : String(value)).slice(0, 100);
}
