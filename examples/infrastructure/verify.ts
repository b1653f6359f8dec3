// Builds, synthesises and verifies examples, each in turn: node infrastructure/verify.ts [example…] [option of theirs…]
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { buildExample } from "./build.ts";
import { examplesFolder } from "./examples.ts";
import { assertChecksCanFail, assertSameInSam, assertStack } from "./stack.verify.ts";
import { synthesise } from "./synth.ts";

const isOption = (argument: string) => argument.startsWith("-");
const wanted = process.argv.slice(2).filter((argument) => !isOption(argument));
const options = process.argv.slice(2).filter(isOption);
const all = readdirSync(examplesFolder).filter((name) => hasFile(name, "verify.ts") && hasFile(name, "package.json"));
const examples = wanted.length > 0 ? wanted : all;
for (const example of examples) {
	if (!all.includes(example)) throw new Error(`There is no example ${example} to verify; there are ${all.join(", ")}`);
}
const stacks = examples.filter((example) => hasFile(example, "stack.ts"));

for (const example of stacks) await buildExample(example);
if (stacks.length > 0) {
	assertChecksCanFail();
	synthesise(stacks);
}
for (const example of stacks) {
	assertStack(example);
	assertSameInSam(example);
}
for (const example of examples) {
	console.log(`\n== ${example}`);
	run(process.execPath, [join(examplesFolder, example, "verify.ts"), ...options]);
}

/** Root may write where nobody else may: that right is given up, so that what is read-only is so for the functions. */
function run(file: string, args: readonly string[]): void {
	const isRoot = process.getuid?.() === 0;
	const capability = "-dac_override";
	const drop = ["--bounding-set", capability, "--inh-caps", capability];
	const { status, error } = isRoot
		? spawnSync("setpriv", [...drop, file, ...args], { stdio: "inherit" })
		: spawnSync(file, args, { stdio: "inherit" });
	if (error) throw error;
	if (status !== 0) process.exit(status ?? 1);
}

function hasFile(example: string, name: string): boolean {
	return existsSync(join(examplesFolder, example, name));
}
