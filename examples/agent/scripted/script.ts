/** What a scripted model is given, the same for all frameworks: the question, then the results of the tools. */
export type Heard =
	| { readonly role: "user"; readonly text: string }
	| { readonly role: "tool"; readonly tool: string; readonly text: string; readonly isError: boolean };

/** One call of a scripted model. */
export type ModelCall = { readonly heard: readonly Heard[]; readonly tools: readonly string[] };

export type Reply =
	| { readonly text: string }
	| { readonly tool: string; readonly arguments: { readonly [name: string]: string | number } };

/** Plays the language model: what it says or does next depends on what it has heard, as a real one's would. */
export function reply(heard: readonly Heard[], tools: readonly string[]): Reply {
	const asked = heard.findLastIndex(({ role }) => role === "user");
	const question = heard[asked]?.role === "user" ? heard[asked].text : "";
	const [found, summed] = heard.slice(asked + 1).filter((message) => message.role === "tool");
	for (const tool of ["read_text_file", "get-sum"])
		if (!tools.includes(tool)) return { text: `I have no tool ${tool}.` };

	if (/offers/.test(question)) {
		if (!found) return { tool: "read_text_file", arguments: { path: "offers.csv" } };
		if (/ENOENT/.test(found.text)) return { text: "There is no list of offers." };
		return { text: found.isError ? `I cannot look: ${found.text}` : `On offer: ${found.text}` };
	}

	const items = /cost of an? (\w+) and an? (\w+)/.exec(question)?.slice(1);
	if (!items) return { text: "Ask me for the cost of two things, or for offers." };
	if (!found) return { tool: "read_text_file", arguments: { path: "prices.csv" } };
	if (found.isError) return { text: `I cannot read the prices: ${found.text}` };
	const [a, b] = items.map((item) => Number(new RegExp(`^${item},(.+)$`, "m").exec(found.text)?.[1]));
	if (a === undefined || b === undefined || Number.isNaN(a + b)) return { text: "One of them has no price." };
	if (!summed) return { tool: "get-sum", arguments: { a, b } };
	const sum = /is ([\d.]+)\.$/.exec(summed.text)?.[1];
	if (summed.isError || !sum) return { text: `I cannot add the prices: ${summed.text}` };
	return { text: `A ${items[0]} and a ${items[1]} cost ${sum} euros.` };
}
