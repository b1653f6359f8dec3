import type { LocalFunction } from "../function.ts";
import { functionNotFound, invalidParameter, type ServiceError, validationFailed } from "./service-error.ts";

// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_RequestParameters
const pattern =
	/^(?:(?:arn:(?:aws[a-zA-Z-]*):lambda:)?(?:[a-z]{2}(?:-[a-z]+)+-\d:)?(?:\d{12}:)?function:)?([\w-]+)(?::(\$LATEST|[\w-]+))?$/;

export type FoundFunction = {
	readonly fn: LocalFunction;
	/** With the qualifier, when the caller gave one. */
	readonly invokedArn: string;
};

/**
 * Finds a function by name, partial ARN or ARN, with or without a qualifier. The account and the region of an ARN are not
 * compared, so that a deployed function's ARN works here too; the only version is $LATEST.
 */
export function findFunction(
	functions: ReadonlyMap<string, LocalFunction>,
	functionName: string,
	qualifierParameter: string | undefined,
): FoundFunction | ServiceError {
	const match = pattern.exec(functionName);
	if (!match?.[1] || functionName.length > 170) {
		const constraint = `Member must satisfy regular expression pattern: ${pattern.source}`;
		return validationFailed("functionName", functionName, constraint);
	}
	const [, name, derived] = match;
	if (derived !== undefined && qualifierParameter !== undefined && derived !== qualifierParameter) {
		return invalidParameter("The derived qualifier from the function name does not match the specified qualifier.");
	}
	const qualifier = qualifierParameter ?? derived;
	const fn = functions.get(name);
	const arn = fn?.resolved.arn ?? siblingArn(functions, name);
	const invokedArn = qualifier === undefined ? arn : `${arn}:${qualifier}`;
	if (!fn || (qualifier !== undefined && qualifier !== "$LATEST")) return functionNotFound(invokedArn);
	return { fn, invokedArn };
}

function siblingArn(functions: ReadonlyMap<string, LocalFunction>, name: string): string {
	const [sibling] = functions.values();
	return (sibling?.resolved.arn ?? "").replace(/[^:]*$/, name);
}
