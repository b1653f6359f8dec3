import { homedir } from "node:os";
import { basename, sep } from "node:path";

/**
 * Fills in the variables that hosts document: https://code.visualstudio.com/docs/reference/variables-reference,
 * https://cursor.com/docs/context/mcp and https://code.claude.com/docs/en/mcp. One that nothing is known of is an error.
 */
export function expand(value: string, where: string, folder: string, inputs: Readonly<Record<string, string>>): string {
	return value.replace(/\$\{([^{}]+)\}/g, (whole, variable: string) => {
		const [, prefix, name = "", fallback] = /^(?:(env|input):)?(.*?)(?::-(.*))?$/s.exec(variable) ?? [];
		const found = prefix === "input" ? own(inputs, name) : prefix ? process.env[name] : variableOf(name, folder);
		if (found !== undefined && (found !== "" || fallback === undefined)) return found;
		if (fallback !== undefined) return fallback;
		const remedy =
			prefix === "input" ? `give options.inputs[${JSON.stringify(name)}]` : `set ${name} in the function's environment`;
		throw new TypeError(`${where} uses ${whole}, which has no value here; ${remedy}`);
	});
}

function variableOf(name: string, folder: string): string | undefined {
	switch (name) {
		case "workspaceFolder":
			return folder;
		case "workspaceFolderBasename":
			return basename(folder);
		case "userHome":
			return homedir();
		case "pathSeparator":
		case "/":
			return sep;
		default:
			return process.env[name];
	}
}

function own(record: Readonly<Record<string, string>>, name: string): string | undefined {
	return Object.hasOwn(record, name) ? record[name] : undefined;
}
