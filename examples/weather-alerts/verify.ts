import { deepEqual, equal, match } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { deployLocally } from "../infrastructure/deployed.ts";
import { runProgram } from "../infrastructure/program.ts";
import { startWeatherService } from "./stand-in.ts";

await using weather = await startWeatherService();
await using deployed = await deployLocally("weather-alerts", { environment: { API_BASE_URL: weather.url } });

const client = await deployed.connect();
const { tools } = await client.listTools();
deepEqual(
	tools.map(({ name }) => name),
	["get-active-alerts", "get-active-alerts-of-area", "count-active-alerts", "get-alert-types"],
);
console.log(`the asset of the stack answers: ${tools.length} tools from ${client.getServerVersion()?.name}`);

const call = async (name: string, args: Record<string, unknown> = {}) => {
	const { content, isError } = await client.callTool({ name, arguments: args });
	const [first] = content as { readonly text: string }[];
	return { isError: isError === true, text: first?.text ?? "" };
};

const everywhere = JSON.parse((await call("get-active-alerts")).text);
equal(everywhere.type, "FeatureCollection");
equal(everywhere.features.length, 2);
const atSea = JSON.parse((await call("get-active-alerts", { area: "GM" })).text);
deepEqual(
	atSea.features.map(({ properties }: { properties: { event: string } }) => properties.event),
	["Gale Warning"],
);
equal(JSON.parse((await call("count-active-alerts")).text).total, 2);
deepEqual(JSON.parse((await call("get-alert-types")).text).eventTypes, ["Flood Warning", "Gale Warning"]);
console.log("each tool gives what the service has, and the service is told who asks");

const refused = await call("get-active-alerts-of-area", { area: "Texas" });
equal(refused.isError, true);
match(refused.text, /400/);
console.log("what the service refuses is the tool's error");
await client.close();

const expected = "1 alerts for TX\n- Flood Warning issued November 24 at 7:30PM CST by NWS Houston/Galveston TX\n";
for (const program of ["client.ts", "reference-client.ts"]) {
	const file = fileURLToPath(new URL(program, import.meta.url));
	equal(await runProgram(file, [deployed.functionName, "TX"], deployed.callerEnvironment), expected);
	console.log(`${program} prints the alerts`);
}
