import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** The chat program, driven by its standard input: with the scripted model, or with what `environment` gives for Bedrock. */
export async function verifyChat(framework: string, environment?: Environment): Promise<void> {
	const lines = ["What is the cost of a teapot and a kettle?", "Are there offers?", "Who are you?"];
	const { code, stdout, stderr } = await chat(
		["--framework", framework, ...(environment ? [] : ["--scripted"])],
		lines,
		environment,
	);
	assert.equal(code, 0, stderr);
	const said = [
		'  read_text_file {"path":"prices.csv"}',
		'  get-sum {"a":19,"b":34.9}',
		'  gave "The sum of 19 and 34.9 is 53.9."',
		"A teapot and a kettle cost 53.9 euros.",
		'  read_text_file {"path":"offers.csv"}',
		"There is no list of offers.",
		"Ask me for the cost of two things, or for offers.",
	];
	assert.deepEqual(
		stdout.split(/\n(?:> )?/).filter((line) => said.includes(line)),
		said,
	);
	assert.match(stdout, /^ {2}failed ".*ENOENT/m);
	assert.match(stdout, environment ? /with \S+claude/ : /with a scripted model/);
}

/** Without credentials, the chat says how to get there. */
export async function verifyChatWithoutCredentials(): Promise<void> {
	const { code, stdout, stderr } = await chat([], []);
	assert.equal(code, 1);
	assert.equal(stdout, "");
	assert.match(stderr, /no AWS credentials.*`aws configure`.*--scripted/);
}

type Environment = { readonly [name: string]: string | undefined };

async function chat(args: readonly string[], lines: readonly string[], environment: Environment = {}) {
	const file = (path: string): string => fileURLToPath(import.meta.resolve(path));
	// A shell of its own: whatever AWS and LangSmith are told in this one must not matter.
	const env = { PATH: process.env.PATH, HOME: "/nonexistent", AWS_EC2_METADATA_DISABLED: "true", ...environment };
	const child = spawn(process.execPath, ["--import", file("./offline.ts"), file("../chat.ts"), ...args], { env });
	child.stdin.on("error", () => {});
	child.stdin.end(lines.map((line) => `${line}\n`).join(""));
	const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
	return { code, stdout, stderr };
}
