import type { Agent, StartAgent } from "./agent.ts";
import { bedrockForAiSdk, startAiSdkAgent } from "./ai-sdk.ts";
import type { Functions } from "./functions.ts";
import { bedrockForLangChain, startLangChainAgent } from "./langchain.ts";
import { ScriptedAiSdkModel } from "./scripted/ai-sdk.ts";
import { ScriptedChatModel } from "./scripted/langchain.ts";
import type { ModelCall } from "./scripted/script.ts";
import { ScriptedStrandsModel } from "./scripted/strands.ts";
import { bedrockForStrands, startStrandsAgent } from "./strands.ts";

export type Framework = {
	readonly title: string;
	startWithBedrock(functions: Functions): Promise<Agent>;
	/** `calls` is what the model is given, call by call. */
	startWithScript(functions: Functions): Promise<{ readonly agent: Agent; readonly calls: readonly ModelCall[] }>;
};

export const frameworks: { readonly [name: string]: Framework } = {
	"ai-sdk": framework("Vercel AI SDK", startAiSdkAgent, bedrockForAiSdk, () => new ScriptedAiSdkModel()),
	strands: framework("Strands Agents", startStrandsAgent, bedrockForStrands, () => new ScriptedStrandsModel()),
	langchain: framework("LangChain.js", startLangChainAgent, bedrockForLangChain, () => new ScriptedChatModel()),
};

/** The same agent with either model. */
function framework<Model, Scripted extends Model & { readonly calls: readonly ModelCall[] }>(
	title: string,
	start: StartAgent<Model>,
	bedrock: () => Model,
	scripted: () => Scripted,
): Framework {
	return {
		title,
		startWithBedrock: async (functions) => await start(functions, bedrock()),
		startWithScript: async (functions) => {
			const model = scripted();
			return { agent: await start(functions, model), calls: model.calls };
		},
	};
}
