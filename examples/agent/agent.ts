import type { Functions } from "./functions.ts";

/** An agent with the tools of both functions, whatever framework it is made with. */
export type Agent = {
	/** The names of the tools that it has. */
	readonly tools: readonly string[];
	/** Answers a question, as the next one of a conversation; tells meanwhile what it does. */
	ask(question: string, onProgress?: (progress: Progress) => void): Promise<string>;
	close(): Promise<void>;
};

export type Progress =
	| { readonly type: "text"; readonly text: string }
	| { readonly type: "call"; readonly tool: string; readonly arguments: unknown }
	| { readonly type: "result"; readonly tool: string; readonly text: string; readonly isError: boolean };

export type StartAgent<Model> = (functions: Functions, model: Model) => Promise<Agent>;

export const instructions: string =
	"You work in a shop. The catalog is a folder of CSV files, among them prices.csv. Look prices up, and add them with the calculator's get-sum.";
