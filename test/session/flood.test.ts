import { afterEach, expect, test, vi } from "vitest";
import { createFloodGuard } from "../../src/session/flood.ts";

let now = 0;
vi.spyOn(performance, "now").mockImplementation(() => now);
afterEach(() => {
	now = 0;
});

function create() {
	const onLeftOut = vi.fn();
	const onFlood = vi.fn();
	return { guard: createFloodGuard({ onLeftOut, onFlood }), onLeftOut, onFlood };
}

test("500 lines a second are told, and then how many were not", () => {
	const { guard, onLeftOut } = create();
	now = 1000;
	const admitted = Array.from({ length: 1200 }, () => guard.admits());
	expect(admitted.filter(Boolean)).toHaveLength(500);
	expect(onLeftOut).not.toHaveBeenCalled();
	now = 2000;
	expect(guard.admits()).toBe(true);
	expect(onLeftOut).toHaveBeenCalledWith(700);
});

test("20,000 useless lines over five seconds are a flood", () => {
	const { guard, onFlood } = create();
	for (let line = 0; line < 20_000; line += 1) {
		now = line / 5;
		guard.admits();
	}
	expect(onFlood).not.toHaveBeenCalled();
	now = 5000;
	guard.admits();
	expect(onFlood).toHaveBeenCalledOnce();
});

test("slow lines are no flood, however long they come", () => {
	const { guard, onFlood } = create();
	for (let line = 0; line < 100_000; line += 1) {
		now = line;
		guard.count();
	}
	expect(onFlood).not.toHaveBeenCalled();
});

test("a server that does something for a request is no flood", () => {
	const { guard, onFlood } = create();
	for (let line = 0; line < 100_000; line += 1) {
		now = line / 5;
		guard.count();
		if (line % 1000 === 0) guard.useful();
	}
	expect(onFlood).not.toHaveBeenCalled();
});
