import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const config: ReturnType<typeof defineConfig> = defineConfig({
	test: {
		// A machine that is twenty times slower than usual still passes: these limits only end what hangs.
		testTimeout: 120_000,
		hookTimeout: 120_000,
		expect: { poll: { timeout: 60_000, interval: 20 } },
		// Tests look for processes that were left behind: each file in a process of its own sees only its own.
		pool: "forks",
		// Most of a test's time it waits for processes that it started.
		maxWorkers: Math.max(4, availableParallelism()),
		globalSetup: "test/support/compile-cache.ts",
		// What runs in other processes (functions, runtimes, the built package) is not seen.
		coverage: {
			provider: "v8",
			include: ["src/**", "middleware/**"],
			reporter: ["text-summary", "json-summary"],
			thresholds: { statements: 92, branches: 90, functions: 92, lines: 93 },
		},
		projects: [
			{
				extends: true,
				test: {
					name: "tests",
					include: ["test/**/*.test.ts"],
					exclude: ["test/bench/reference/**", "test/**/*.soak.test.ts"],
					typecheck: { enabled: true, include: ["test/**/*.test-d.ts"] },
				},
			},
			{
				extends: true,
				// What takes long because it does something very often; `npm run test:soak`.
				test: { name: "soak", include: ["test/**/*.soak.test.ts"] },
			},
		],
	},
});

export default config;
