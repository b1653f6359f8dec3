import { equal, match, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { deployLocally } from "../infrastructure/deployed.ts";
import { readSynthesisedFunction } from "../infrastructure/synthesised.ts";
import { startPictureService, startSecretsManager } from "./stand-ins.ts";

const secretId = "arn:aws:secretsmanager:us-east-1:123456789012:secret:nasa-AbCdEf";
const first = "key-number-one-b1946ac9";
const second = "key-number-two-591785b7";
const keys = { stored: first, accepted: first };

await using secrets = await startSecretsManager(secretId, keys);
await using pictures = await startPictureService(keys);
await using deployed = await deployLocally("secrets", {
	environment: {
		SECRET_ID: secretId,
		SECRET_CACHE_MS: "500",
		AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
		API_BASE_URL: pictures.url,
	},
});
const client = await deployed.connect();
const results: string[] = [];
const processes: string[] = [];

async function getPicture(): Promise<{ readonly isError: boolean; readonly text: string }> {
	const result = await client.callTool({ name: "get-astronomy-picture", arguments: { date: "2026-11-24" } });
	const [content] = result.content as { readonly text: string }[];
	results.push(JSON.stringify(result));
	processes.push(execFileSync("ps", ["-eo", "args", "-ww"], { encoding: "utf8" }));
	return { isError: result.isError === true, text: content?.text ?? "" };
}

const picture = await getPicture();
equal(picture.isError, false, picture.text);
equal(JSON.parse(picture.text).title, "The Horsehead Nebula");
console.log("the service gets the key that Secrets Manager has");

keys.accepted = second;
const refused = await getPicture();
equal(refused.isError, true);
match(refused.text, /403/);
console.log("a key that is no longer good is refused by the service, as an error of the tool");

keys.stored = second;
const giveUpAt = Date.now() + 30_000;
while ((await getPicture()).isError) {
	ok(Date.now() < giveUpAt, "The rotated key is still not used");
	await setTimeout(200);
}
console.log("a rotated key is used once the cached one has expired");

ok(
	processes.some((list) => list.includes("openapi-mcp-server")),
	"The child server was never seen",
);
for (const key of [first, second]) {
	for (const [place, lines] of Object.entries({ results, log: deployed.log, arguments: processes })) {
		ok(!lines.some((line) => line.includes(key)), `The key is in ${place}`);
	}
}
equal(typeof readSynthesisedFunction("secrets").environment.SECRET_ID, "object");
console.log("no key in results, log, process arguments or the function's configuration");
await client.close();
