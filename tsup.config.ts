import { defineConfig } from "tsup";

const config: ReturnType<typeof defineConfig> = defineConfig({
	entry: {
		"src/index": "src/index.ts",
		"src/local/index": "src/local/index.ts",
		"src/local/runtime": "src/local/runtime.ts",
	},
	format: "esm",
	target: "node22",
	platform: "node",
	dts: false,
	clean: true,
	sourcemap: false,
	splitting: false,
	removeNodeProtocol: false,
});

export default config;
