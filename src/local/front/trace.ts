import { randomBytes } from "node:crypto";

/** https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
export function traceIdFor(given: string | undefined): string {
	if (given?.includes("Root=")) return given;
	const seconds = Math.floor(Date.now() / 1000).toString(16);
	const [root, parent] = [randomBytes(12).toString("hex"), randomBytes(8).toString("hex")];
	return `Root=1-${seconds}-${root};Parent=${parent};Sampled=0`;
}
