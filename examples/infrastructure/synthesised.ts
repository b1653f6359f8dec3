import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LocalFunctionOptions } from "mcp-stdio-lambda/local";
import { assemblyFolder, stackName } from "./examples.ts";

/** A function as the synthesised stack of an example has it. */
export type SynthesisedFunction = {
	/** The folder that would be zipped, or is the context of the image, as it stands in the cloud assembly. */
	readonly assetFolder: string;
	/** Path of the handler file in the folder. */
	readonly handler: string;
	readonly settings: Pick<LocalFunctionOptions, "exportName" | "memorySizeMb" | "timeoutMs" | "reservedConcurrency">;
	/** Values that only a deployment knows are no strings. */
	readonly environment: Readonly<Record<string, unknown>>;
};

/** As far as it is read here. */
export type Template = {
	readonly Parameters?: Readonly<Record<string, { readonly Default?: unknown }>>;
	readonly Resources: Readonly<Record<string, Resource>>;
};

export type Resource = {
	readonly Type: string;
	readonly Metadata?: Readonly<Record<string, unknown>>;
	// biome-ignore lint/suspicious/noExplicitAny: each type of resource has properties of its own.
	readonly Properties: Readonly<Record<string, any>>;
};

export function readTemplate(example: string): Template {
	return JSON.parse(readFileSync(templateFile(example), "utf8")) as Template;
}

export function resourcesOf(template: Template, ...types: readonly string[]): readonly Resource[] {
	return Object.values(template.Resources).filter(({ Type }) => types.includes(Type));
}

export function readSynthesisedFunction(example: string): SynthesisedFunction {
	const [fn, ...others] = readSynthesisedFunctions(example);
	if (fn === undefined || others.length > 0) throw new Error(`${templateFile(example)} should have one function`);
	return fn;
}

export function readSynthesisedFunctions(example: string): readonly SynthesisedFunction[] {
	return resourcesOf(readTemplate(example), "AWS::Lambda::Function").map((fn) => readFunction(example, fn));
}

function readFunction(example: string, fn: Resource): SynthesisedFunction {
	const asset = fn.Metadata?.["aws:asset:path"];
	if (typeof asset !== "string") throw new Error(`${templateFile(example)} should have a function with an asset`);
	const { Handler, ImageConfig, MemorySize, Timeout, ReservedConcurrentExecutions, Environment } = fn.Properties;
	const [module = "", exportName = ""] = (Handler ?? ImageConfig?.Command[0] ?? "").split(".");
	return {
		assetFolder: join(assemblyFolder, asset),
		handler: `${module}.mjs`,
		settings: {
			exportName,
			memorySizeMb: MemorySize,
			timeoutMs: Timeout * 1000,
			reservedConcurrency: ReservedConcurrentExecutions,
		},
		environment: Environment?.Variables ?? {},
	};
}

function templateFile(example: string): string {
	return join(assemblyFolder, `${stackName(example)}.template.json`);
}
