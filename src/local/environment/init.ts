import { existsSync } from "node:fs";
import { formatInitReport } from "../log.ts";
import { type Failure, failByEvent, failByInitError } from "./failure.ts";
import type { EnvironmentParts } from "./invocation.ts";

/** What a runtime that has reported an INIT error gets to write it to the log and exit. */
const initErrorGraceMs = 500;

/** Starts a runtime process and waits until it asks for an invocation; returns why it did not. */
export async function runInit(
	{ fn, sandbox, log, reset }: EnvironmentParts,
	requestId: string,
	limitMs: number,
	phase: "init" | "invoke",
): Promise<Failure | undefined> {
	const startedAt = performance.now();
	sandbox.start();
	const event = await sandbox.take(limitMs);
	if (event?.type === "ready") return undefined;
	let failure: Failure;
	if (event?.type === "initError") {
		failure = failByInitError(event.payload);
		if (!existsSync(fn.file)) log.write("platform", `There is no file ${fn.file}, which the handler names`);
		// The runtime ends by itself, and writes why.
		await sandbox.take(initErrorGraceMs);
	} else {
		failure = failByEvent(requestId, fn.timeoutMs, event);
	}
	await reset();
	log.write("platform", formatInitReport(performance.now() - startedAt, phase, failure));
	return failure;
}
