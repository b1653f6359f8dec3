// npm run release -- 1.2.3 [--publish]
// The version in package.json and in what the package says of itself, a dated section in CHANGELOG.md, a commit and a tag. With
// --publish the package is published, with provenance, from the tag.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const [version = "", flag] = process.argv.slice(2);
const run = (command, ...args) => {
	console.log(`+ ${[command, ...args].join(" ")}`);
	return execFileSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
};
const fail = (problem) => {
	console.error(problem);
	process.exit(1);
};

if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) fail("name a version: npm run release -- 1.2.3");
if (execFileSync("git", ["status", "--porcelain"], { encoding: "utf8" }) !== "")
	fail("commit or put away what has changed first");

const changelog = readFileSync("CHANGELOG.md", "utf8");
if (!/^## Unreleased\n+(?!## )/m.test(changelog)) fail("CHANGELOG.md has nothing under Unreleased");
const date = new Date().toISOString().slice(0, 10);
writeFileSync("CHANGELOG.md", changelog.replace("## Unreleased\n", `## Unreleased\n\n## ${version} - ${date}\n`));
run("npm", "version", version, "--no-git-tag-version", "--allow-same-version");
run("git", "add", "--all");
run("git", "commit", "--message", `Release ${version}`);
run("git", "tag", "--annotate", `v${version}`, "--message", `Release ${version}`);
if (flag === "--publish") run("npm", "publish", "--provenance", "--access", "public");
else console.log(`tagged v${version}; publish with: npm publish --provenance --access public`);
