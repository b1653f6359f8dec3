export type FormattedError = { readonly errorType: string; readonly errorMessage: string; readonly trace: string[] };

/** The payload of a function error, as AWS's runtime builds it. */
export function formatError(error: unknown): FormattedError {
	if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
	return {
		errorType: escapeDelete(String(error.name)),
		errorMessage: escapeDelete(String(error.message)),
		trace: typeof error.stack === "string" ? escapeDelete(error.stack).split("\n") : [],
	};
}

/** Writes an error to the log, with what its own properties and its stack say. */
export function logError(message: string, thrown: unknown): void {
	const error = thrown instanceof Error ? thrown : new Error(String(thrown));
	let json: string;
	try {
		json = JSON.stringify(error, (_key, value: unknown) => (value instanceof Error ? describe(value) : value));
	} catch {
		json = JSON.stringify(formatError(error));
	}
	console.error(message, `\t${json}`);
}

function describe(error: Error): object {
	const { name, message, stack } = error;
	const code = (error as NodeJS.ErrnoException).code;
	return { errorType: name, errorMessage: message, code, ...error, stack: stack?.split("\n") };
}

function escapeDelete(text: string): string {
	return text.replaceAll("\x7F", "%7F");
}

/** An error's type, which the Runtime API takes in a header. */
export function toHeaderValue(text: string): string {
	return text.replaceAll(/[^\x20-\x7e]/g, "?");
}
