import { defineConfig } from "vitest/config";

const config: ReturnType<typeof defineConfig> = defineConfig({
	test: {
		include: ["test/**/*.test.ts"],
		exclude: ["test/bench/**"],
		typecheck: { enabled: true, include: ["test/**/*.test-d.ts"] },
		testTimeout: 20_000,
		hookTimeout: 20_000,
		// Tests look for processes that were left behind: each file in a process of its own sees only its own.
		pool: "forks",
		maxWorkers: 2,
	},
});

export default config;
