import { defineConfig } from "vitest/config";

export default defineConfig({
	test: {
		include: ["test/**/*.test.ts"],
		exclude: ["test/bench/**"],
		testTimeout: 20_000,
		hookTimeout: 20_000,
		// Tests look for processes that were left behind: each file in a process of its own sees only its own.
		pool: "forks",
		maxWorkers: 2,
	},
});
