import { expect, test, vi } from "vitest";
import { createLifecycle } from "../../../src/local/environment/lifecycle.ts";

test("tells each change of the state once", () => {
	const onChange = vi.fn();
	const lifecycle = createLifecycle(onChange);
	for (const state of ["reset", "init", "busy", "idle", "busy", "reset", "reset"] as const) lifecycle.enter(state);
	expect(onChange.mock.calls).toEqual([
		["reset", "init"],
		["init", "busy"],
		["busy", "idle"],
		["idle", "busy"],
		["busy", "reset"],
	]);
	expect(lifecycle.state()).toBe("reset");
});

test.each([
	[[], "busy"],
	[[], "idle"],
	[["init"], "idle"],
	[["init"], "init"],
	[["init", "busy"], "init"],
	[["init", "busy"], "busy"],
	[["init", "busy", "idle"], "init"],
] as const)("after %j an environment cannot be %s", (before, next) => {
	const lifecycle = createLifecycle(() => {});
	for (const state of before) lifecycle.enter(state);
	expect(() => lifecycle.enter(next)).toThrow(`cannot go from ${lifecycle.state()} to ${next}`);
});
