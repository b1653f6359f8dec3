import { equal } from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { join } from "node:path";
import type { LocalFunctionOptions } from "mcp-stdio-lambda/local";
import { createReadOnlyFolder } from "../../infrastructure/read-only-folder.ts";
import { readSynthesisedFunctions, type SynthesisedFunction } from "../../infrastructure/synthesised.ts";
import { type Functions, localFunction, startLocalFunctions } from "../functions.ts";

/** A tool call, as the function's own log has it. */
export type Call = { readonly function: string; readonly tool: string; readonly arguments: unknown };

export type ObservedFunctions = Functions & {
	/** The calls that have reached the functions, oldest first. */
	readonly calls: readonly Call[];
	/** Resolves when a tool of a function was called. */
	called(functionName: string, tool: string): Promise<void>;
	/** The same functions, with another one as the calculator. */
	withCalculator(functionName: string): Functions;
};

/**
 * The functions of the example's stack, as they would be deployed, with everything read-only and an empty HOME; and two more
 * calculators: `failing`, whose process ends when a tool is called, and `busy`, which runs one call at a time and turns
 * others away.
 */
export async function startObservedFunctions(): Promise<ObservedFunctions> {
	const calls: Call[] = [];
	const log = new EventEmitter();
	const catalog = deployedFunction("catalog.mjs");
	const calculator = deployedFunction("calculator.mjs");
	equal(catalog.assetFolder, calculator.assetFolder);
	const task = createReadOnlyFolder(catalog.assetFolder);
	const home = createReadOnlyFolder();
	const asDeployed = ({ handler, settings }: SynthesisedFunction): LocalFunctionOptions => ({
		...settings,
		handler: join(task.path, handler),
		environment: { HOME: home.path },
	});
	const functions = await startLocalFunctions({
		concurrency: 100,
		functions: {
			catalog: asDeployed(catalog),
			calculator: asDeployed(calculator),
			failing: localFunction("./verification/failing.mjs"),
			busy: { ...asDeployed(calculator), reservedConcurrency: 1 },
		},
		onLog: ({ functionName, message }) => {
			const call = /\{"tool":.*\}$/.exec(message)?.[0];
			if (!call) return;
			calls.push({ function: functionName, ...JSON.parse(call) });
			log.emit("call");
		},
	});
	return {
		...functions,
		calls,
		called: async (functionName, tool) => {
			while (!calls.some((call) => call.function === functionName && call.tool === tool)) await once(log, "call");
		},
		withCalculator: (functionName) => ({ ...functions, calculator: { ...functions.calculator, functionName } }),
		close: async () => {
			await functions.close();
			try {
				for (const folder of [task, home]) folder.assertUntouched();
			} finally {
				for (const folder of [task, home]) folder.remove();
			}
		},
	};
}

function deployedFunction(handler: string): SynthesisedFunction {
	const found = readSynthesisedFunctions("agent").find((fn) => fn.handler === handler);
	if (found === undefined) throw new Error(`The stack has no function with the handler ${handler}`);
	return found;
}
