import { expect, test } from "vitest";
import { createGate, fixture, startLambda } from "./lambda.ts";
import { openStream } from "./streams.ts";

const writes = {
	handler: fixture("streams.mjs"),
	exportName: "writes",
	timeoutMs: 600_000,
	memorySizeMb: 512,
};

test("fifty streams at once reach their clients and leave nothing behind", async () => {
	const lambda = await startLambda({ writes }, { concurrency: 50 });
	const ids = Array.from({ length: 50 }, (_, id) => `${id} `);
	const { gate, open } = await createGate();
	const opened = await Promise.all(ids.map((id) => openStream(lambda, "writes", { pieces: [id, id], gates: [gate] })));
	expect((await Promise.all(opened.map((stream) => stream.next()))).map(String)).toEqual(ids);
	await open();
	expect((await Promise.all(opened.map((stream) => stream.rest()))).map(String)).toEqual(ids);
	expect(opened.map((stream) => stream.complete())).toEqual(ids.map(() => ({})));
	await lambda.close();
	expect(lambda.survivors()).toEqual([]);
});
