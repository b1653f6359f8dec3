import { describe, test } from "vitest";
import { combinations, keepsItsPromise } from "./function.ts";

describe.each(combinations)("a function in the runtime $name with the lifetime $lifetime", (combination) => {
	const rounds = combination.lifetime === "environment" ? 1000 : 150;
	test.skipIf(combination.skip)(`keeps its promise over ${rounds} freezes`, async () => {
		await keepsItsPromise(combination, rounds);
	});
});
