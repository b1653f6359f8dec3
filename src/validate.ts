/** How one option is checked: `undefined` always means "use the default". */
export type OptionRule = {
	readonly expected: string;
	readonly accepts: (value: unknown) => boolean;
	/** A secret's value must not end up in an error message. */
	readonly secret?: boolean;
};

/** Checks an options object against its rules; throws a TypeError that names the option, what was expected and what came. */
export function validateOptions<T extends object>(
	where: string,
	input: T,
	rules: { readonly [K in keyof Required<T>]: OptionRule },
): void {
	if (typeof input !== "object" || input === null || Array.isArray(input)) {
		throw new TypeError(`${where} must be an object, not ${show(input)}`);
	}
	for (const [name, value] of Object.entries(input)) {
		const rule = (rules as Record<string, OptionRule | undefined>)[name];
		if (!rule) {
			throw new TypeError(`${where}.${name} is not an option; the options are ${Object.keys(rules).join(", ")}`);
		}
		if (value !== undefined && !rule.accepts(value)) {
			throw new TypeError(`${where}.${name} must be ${rule.expected}, not ${rule.secret ? typeof value : show(value)}`);
		}
	}
}

export const positiveInteger: OptionRule = {
	expected: "a positive integer",
	accepts: (value) => Number.isSafeInteger(value) && (value as number) > 0,
};

export const nonNegativeInteger: OptionRule = {
	expected: "an integer of 0 or more",
	accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
};

export const nonNegativeNumber: OptionRule = {
	expected: "a number of 0 or more",
	accepts: (value) => typeof value === "number" && value >= 0,
};

export const aBoolean: OptionRule = { expected: "a boolean", accepts: (value) => typeof value === "boolean" };

export const aFunction: OptionRule = { expected: "a function", accepts: (value) => typeof value === "function" };

export const anObject: OptionRule = {
	expected: "an object",
	accepts: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};

export function oneOf(...values: readonly string[]): OptionRule {
	return {
		expected: values.map((value) => JSON.stringify(value)).join(" or "),
		accepts: (value) => values.includes(value as string),
	};
}

function show(value: unknown): string {
	if (typeof value === "function") return "a function";
	if (typeof value === "bigint") return `${value}n`;
	try {
		return (JSON.stringify(value) ?? String(value)).slice(0, 80);
	} catch {
		return Object.prototype.toString.call(value);
	}
}
