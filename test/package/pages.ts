// Follows the pages as a new user would, in empty folders, with the packed package: node pages.ts <tarball> <folder>
import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { blocksOf, pages } from "../docs/snippets.ts";
import { checkAsset } from "./asset.ts";
import { checkGateways } from "./gateways.ts";
import { createReader, type Reader } from "./reader.ts";
import { type Walk, walkThrough, walkThroughSection } from "./walk.ts";

const [tarball = "", folder = ""] = process.argv.slice(2).map((path) => resolve(path));

/** What the programs of the pages print. */
const printed: Readonly<Record<string, RegExp>> = {
	"node try.mjs": /^\{ content: \[ \{ type: 'text', text: 'Echo: Hello' \} \] \}\n$/,
	"node try-asset.mjs call.mjs": /^\{ content: \[ \{ type: 'text', text: 'Echo: Hello' \} \] \}\n$/,
	"node try-asset.mjs agent.mjs": /^The tool: Echo: Hello\n$/,
	"node write-tools.mjs": /^tools\.json has \d+ tools\n$/,
};

const walks = {
	readme: walkThroughSection("README.md", "Use it"),
	deploying: walkThrough("docs/deploying.md"),
	agent: walkThrough("docs/client.md"),
	agentCore: walkThrough("docs/agentcore.md"),
};

checkNothingIsLeftOut(Object.values(walks));

console.log("\nREADME.md, Use it: a function on this machine");
const newUser = createReader(join(folder, "readme"), tarball);
await follow(newUser, walks.readme);

console.log("\ndocs/deploying.md: a stack whose asset answers");
const deployer = createReader(join(folder, "deploying"), tarball);
await follow(deployer, walks.deploying);
checkAsset(deployer.folder);

console.log("\ndocs/client.md, In an agent: an agent that uses it");
copyFileSync(join(import.meta.dirname, "scripted-model.mjs"), join(deployer.folder, "scripted-model.mjs"));
await follow(deployer, walks.agent, { NODE_OPTIONS: "--import ./scripted-model.mjs" });

console.log("\ndocs/agentcore.md: two stacks with a gateway");
await follow(deployer, walks.agentCore);
checkGateways(deployer.folder);

console.log("\nthe pages can be followed");

async function follow(
	reader: Reader,
	walk: Walk,
	programEnvironment: Readonly<Record<string, string>> = {},
): Promise<void> {
	reader.save(walk);
	for (const command of walk.commands) {
		const output = printed[command];
		const stdout = await reader.type(command, output && programEnvironment);
		if (output) assert.match(stdout, output, `what \`${command}\` prints`);
	}
}

/** Each block that is marked `packed` is followed, each file is used by a command or a file, and each program is looked at. */
function checkNothingIsLeftOut(walks: readonly Walk[]): void {
	const followed = walks.flatMap(({ page, files, commands }) => [
		...files.map(({ place }) => place),
		...blocksOf(page).flatMap(({ place, code }) =>
			code.split("\n").every((line) => commands.includes(line)) ? [place] : [],
		),
	]);
	for (const { place, kind } of pages.flatMap(blocksOf)) {
		assert(kind !== "packed" || followed.includes(place), `${place} is marked \`packed\`, and not followed`);
	}

	const commands = walks.flatMap((walk) => walk.commands);
	for (const command of Object.keys(printed)) assert(commands.includes(command), `no page says \`${command}\``);
	for (const command of commands) {
		assert(!/^node /.test(command) || printed[command], `\`${command}\` is in a page: say what it prints`);
	}

	const files = walks.flatMap((walk) => walk.files);
	for (const { place, file = "" } of files) {
		const others = files.filter((other) => other.file !== file).map(({ code }) => code);
		const used = [...commands, ...others, "cdk.json template.yaml"].some((text) => text.includes(file));
		assert(used, `${place} saves ${file}, which nothing uses`);
	}
}
