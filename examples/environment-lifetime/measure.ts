import { deployLocally } from "../infrastructure/deployed.ts";

const lifetimes = ["environment", "request"] as const;
const coldRounds = 5;
const callsEach = 10;

/** Prints what each lifetime costs a caller: through the Invoke API of the local Lambda, frozen between invocations. */
export async function measure(): Promise<void> {
	const cells = { connect: [] as string[], call: [] as string[] };
	for (const lifetime of lifetimes) {
		const { connect, call } = await measureLifetime(lifetime);
		cells.connect.push(describe(connect));
		cells.call.push(describe(call));
	}
	console.log(`\n| median of ${coldRounds} and ${coldRounds * callsEach} (range) | environment | request (default) |`);
	console.log("| --- | --- | --- |");
	console.log(`| connect to a cold function: INIT, \`initialize\` | ${cells.connect.join(" | ")} |`);
	console.log(`| each \`tools/call\` after it | ${cells.call.join(" | ")} |`);
}

async function measureLifetime(lifetime: string): Promise<{ readonly connect: number[]; readonly call: number[] }> {
	const times = { connect: [] as number[], call: [] as number[] };
	for (let round = 0; round < coldRounds; round++) {
		await using deployed = await deployLocally("environment-lifetime", { environment: { LIFETIME: lifetime } });
		let startedAt = performance.now();
		const client = await deployed.connect();
		times.connect.push(performance.now() - startedAt);
		for (let call = 0; call < callsEach; call++) {
			startedAt = performance.now();
			await client.callTool({ name: "count-words", arguments: { text: "one two three" } });
			times.call.push(performance.now() - startedAt);
		}
		await client.close();
	}
	return times;
}

function describe(values: readonly number[]): string {
	const sorted = values.toSorted((a, b) => a - b);
	const at = (index: number) => (sorted.at(index) ?? Number.NaN).toFixed(1);
	return `${at(Math.floor(sorted.length / 2))} ms (${at(0)}–${at(-1)})`;
}
