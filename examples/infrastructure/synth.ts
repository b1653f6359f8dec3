// Synthesises stacks of built examples into cdk.out: node infrastructure/synth.ts [example…]
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { assemblyFolder, examplesFolder } from "./examples.ts";

/** Runs the AWS CDK's command, which needs no account and no network for it; throws when a stack or a check of cdk-nag fails. */
export function synthesise(examples: readonly string[]): void {
	rmSync(assemblyFolder, { recursive: true, force: true });
	const context = examples.length > 0 ? ["-c", `examples=${examples.join(",")}`] : [];
	const args = ["synth", "--quiet", "--strict", "--no-lookups", "--no-notices", "--no-version-reporting", ...context];
	execFileSync(process.execPath, [join(examplesFolder, "node_modules/aws-cdk/bin/cdk"), ...args, "--app", app()], {
		cwd: examplesFolder,
		env: { ...process.env, CDK_DISABLE_VERSION_CHECK: "true", CDK_DISABLE_CLI_TELEMETRY: "true", CI: "true" },
		stdio: "inherit",
	});
}

/** By its path, as the command `node` may be another version. */
function app(): string {
	return `"${process.execPath}" infrastructure/app.ts`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) synthesise(process.argv.slice(2));
