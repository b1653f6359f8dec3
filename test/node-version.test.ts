import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { requireNode } from "../src/node-version.ts";

test.each(["20.20.2", "18.0.0", "21.7.3", "9.0.0"])("Node.js %s is refused in one sentence", (version) => {
	expect(() => requireNode(version)).toThrow(
		`mcp-stdio-lambda needs Node.js 22 or newer, and this is ${version}: set the function's runtime to`,
	);
});

test.each(["22.0.0", "24.21.0", "100.0.0"])("Node.js %s is accepted", (version) => {
	expect(() => requireNode(version)).not.toThrow();
});

/** A Node.js that is too old, where this machine has one. */
const old = ["/usr/bin/node", "/usr/local/bin/node"].find((path) =>
	/^v(1\d|2[01])\./.test(spawnSync(path, ["--version"], { encoding: "utf8" }).stdout ?? ""),
);

test.skipIf(!old).each(["src/index.js", "middleware/index.js", "src/client/index.js", "src/local/index.js"])(
	"dist/%s says so when it is imported (needs an older Node.js in /usr/bin)",
	(entry) => {
		const url = new URL(`../dist/${entry}`, import.meta.url);
		const { status, stderr } = spawnSync(old as string, ["--eval", `import(${JSON.stringify(url.href)})`], {
			cwd: fileURLToPath(new URL("..", import.meta.url)),
			encoding: "utf8",
		});
		expect(status).toBe(1);
		expect(stderr).toContain("mcp-stdio-lambda needs Node.js 22 or newer");
	},
);
