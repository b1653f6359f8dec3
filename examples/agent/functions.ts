import { fileURLToPath } from "node:url";
import type { LambdaFunctionParameters } from "mcp-stdio-lambda/client";
import { type LocalFunctionOptions, type LocalLambdaOptions, startLocalLambda } from "mcp-stdio-lambda/local";

/** The two functions that the agents use: how to reach each. */
export type Functions = {
	readonly catalog: LambdaFunctionParameters;
	readonly calculator: LambdaFunctionParameters;
	close(): Promise<void>;
};

/** Those that are deployed, if CATALOG_FUNCTION and CALCULATOR_FUNCTION name them; else a local Lambda's. */
export async function findFunctions(): Promise<Functions> {
	const { CATALOG_FUNCTION: catalog, CALCULATOR_FUNCTION: calculator } = process.env;
	if (!catalog && !calculator) return await startLocalFunctions();
	if (!catalog || !calculator) throw new Error("Set both CATALOG_FUNCTION and CALCULATOR_FUNCTION, or neither");
	return { catalog: { functionName: catalog }, calculator: { functionName: calculator }, close: async () => {} };
}

export async function startLocalFunctions(options: Partial<LocalLambdaOptions> = {}): Promise<Functions> {
	const lambda = await startLocalLambda({
		...options,
		functions: {
			catalog: localFunction("./functions/catalog.mjs"),
			calculator: localFunction("./functions/calculator.mjs"),
			...options.functions,
		},
	});
	const { endpoint } = lambda;
	const local = { endpoint, regionName: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };
	return {
		catalog: { ...local, functionName: "catalog" },
		calculator: { ...local, functionName: "calculator" },
		close: lambda.close,
	};
}

/** What would be deployed with the handler file. */
export function localFunction(handler: string): LocalFunctionOptions {
	return { handler: fileURLToPath(import.meta.resolve(handler)), memorySizeMb: 1024, timeoutMs: 30_000 };
}
