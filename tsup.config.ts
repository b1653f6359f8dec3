import { defineConfig } from "tsup";

const config: ReturnType<typeof defineConfig> = defineConfig({
	entry: {
		"src/index": "src/index.ts",
		"middleware/index": "middleware/index.ts",
		"src/http/index": "src/http/index.ts",
		"src/agentcore/index": "src/agentcore/index.ts",
		"src/client/index": "src/client/index.ts",
		"src/local/index": "src/local/index.ts",
		"src/local/runtime/main": "src/local/runtime/main.ts",
	},
	format: "esm",
	target: "node22",
	platform: "node",
	dts: false,
	clean: true,
	sourcemap: false,
	splitting: true,
	esbuildOptions(options) {
		// What entries share is in dist once: one registry of servers, one class of errors.
		options.chunkNames = "src/shared/[name]-[hash]";
	},
	removeNodeProtocol: false,
});

export default config;
