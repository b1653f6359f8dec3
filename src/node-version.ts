/** Throws one sentence where this package cannot run: what is missing would else be found in the middle of a request. */
export function requireNode(version: string = process.versions.node): void {
	if (Number.parseInt(version, 10) >= 22) return;
	throw new Error(
		`mcp-stdio-lambda needs Node.js 22 or newer, and this is ${version}: set the function's runtime to nodejs22.x or nodejs24.x, or install a newer Node.js`,
	);
}
