import type { Readable } from "node:stream";
import type { Failure } from "./environment/failure.ts";

/** One line of a function's log. */
export type LocalLambdaLog = {
	readonly functionName: string;
	/** Names the execution environment, as the log stream does in CloudWatch. */
	readonly logStreamName: string;
	/** The invocation during which it was written; `undefined` in the INIT phase and between invocations. */
	readonly requestId: string | undefined;
	/** Where it comes from: the environment's processes, or Lambda itself (START, END, REPORT, INIT_REPORT, timeouts, exits). */
	readonly source: "stdout" | "stderr" | "platform";
	/** The line without its end. */
	readonly message: string;
};

/**
 * `LogType: Tail` returns the last 4 KB of an invocation's log.
 *
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
const tailBytes = 4096;

/** The last 4 KB of what was added, each message a line. */
export type LogTail = { add(message: string): void; toBase64(): string };

export function createLogTail(): LogTail {
	let tail: Buffer = Buffer.alloc(0);
	return {
		add: (message) => {
			const line = Buffer.from(`${message}\n`);
			tail = Buffer.concat([tail.subarray(-tailBytes), line.subarray(-tailBytes)]).subarray(-tailBytes);
		},
		toBase64: () => tail.toString("base64"),
	};
}

/** Calls `onLine` with each line of a stream; the function it returns gives out an unfinished last line. */
export function readLines(stream: Readable, onLine: (line: string) => void): () => void {
	let rest = "";
	stream.setEncoding("utf8");
	stream.on("data", (text: string) => {
		const lines = (rest + text).split("\n");
		rest = lines.pop() ?? "";
		for (const line of lines) onLine(line);
	});
	// A pipe that breaks when its process is killed ends the log, nothing else.
	stream.on("error", () => {});
	return () => {
		const line = rest;
		rest = "";
		if (line !== "") onLine(line);
	};
}

export type Report = {
	readonly requestId: string;
	readonly durationMs: number;
	/** Only for the invocation that followed a successful INIT phase. */
	readonly initDurationMs?: number | undefined;
	readonly memorySizeMb: number;
	/** Where the platform tells it: of the runtime process alone. */
	readonly maxMemoryUsedMb?: number | undefined;
	/** When Lambda itself ended it; not for an error that the handler threw. */
	readonly failure?: Pick<Failure, "status" | "errorType"> | undefined;
};

/** The REPORT line, as in CloudWatch; the INIT phase is billed too. */
export function formatReport(report: Report): string {
	const { durationMs, initDurationMs } = report;
	return [
		`REPORT RequestId: ${report.requestId}`,
		`Duration: ${durationMs.toFixed(2)} ms`,
		`Billed Duration: ${Math.ceil(durationMs + (initDurationMs ?? 0))} ms`,
		`Memory Size: ${report.memorySizeMb} MB`,
		...(report.maxMemoryUsedMb === undefined ? [] : [`Max Memory Used: ${report.maxMemoryUsedMb} MB`]),
		...(initDurationMs === undefined ? [] : [`Init Duration: ${initDurationMs.toFixed(2)} ms`]),
		...(report.failure === undefined ? [] : [formatStatus(report.failure)]),
	].join("\t");
}

/** The line that Lambda writes when an INIT fails; a successful one is silent. */
export function formatInitReport(
	durationMs: number,
	phase: "init" | "invoke",
	failure: Pick<Failure, "status" | "errorType">,
): string {
	return `INIT_REPORT Init Duration: ${durationMs.toFixed(2)} ms\tPhase: ${phase}\t${formatStatus(failure)}`;
}

function formatStatus({ status, errorType }: Pick<Failure, "status" | "errorType">): string {
	return status === "timeout" ? "Status: timeout" : `Status: error\tError Type: ${errorType}`;
}
