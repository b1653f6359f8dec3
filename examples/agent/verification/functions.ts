import { EventEmitter, once } from "node:events";
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
 * The functions of the example, and two more calculators: `failing`, whose process ends when a tool is called, and `busy`,
 * which runs one call at a time and turns others away.
 */
export async function startObservedFunctions(): Promise<ObservedFunctions> {
	const calls: Call[] = [];
	const log = new EventEmitter();
	const functions = await startLocalFunctions({
		functions: {
			failing: localFunction("./verification/failing.mjs"),
			busy: { ...localFunction("./functions/calculator.mjs"), reservedConcurrency: 1 },
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
	};
}
