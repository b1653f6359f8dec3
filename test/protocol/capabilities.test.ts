import { expect, test } from "vitest";
import { withoutKeptState } from "../../src/protocol/capabilities.ts";

const serverInfo = { name: "it", version: "1" };

test.each<[object, object]>([
	[
		{ tools: { listChanged: true }, tasks: { list: {}, requests: { tools: { call: {} } } } },
		{ tools: { listChanged: true } },
	],
	[{ resources: { subscribe: true, listChanged: true } }, { resources: { listChanged: true } }],
	[
		{ logging: {}, prompts: {} },
		{ logging: {}, prompts: {} },
	],
	[{}, {}],
])("of %j is left what one request can use", (capabilities, expected) => {
	const result = { protocolVersion: "2025-11-25", capabilities, serverInfo, instructions: "x" };
	expect(withoutKeptState(result)).toEqual({ ...result, capabilities: expected });
});

test("a result without capabilities stays as it is", () => {
	expect(withoutKeptState({ protocolVersion: "1" })).toEqual({ protocolVersion: "1" });
});
