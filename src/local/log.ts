import type { Readable } from "node:stream";
import { createLineReader } from "../lines.ts";
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

/** A line is cut beyond this: an event in CloudWatch has at most 1 MB (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html). */
const longestLineBytes = 1024 * 1024;

/** Calls `onLine` with each line of a stream; the function it returns gives out an unfinished last line. */
export function readLines(stream: Readable, onLine: (line: string) => void): () => void {
	const reader = createLineReader(longestLineBytes, {
		onLine: (line) => onLine(line.toString("utf8")),
		onOverlongLine: (head) => onLine(`${head.toString("utf8")}… (a line of more than ${longestLineBytes} bytes)`),
	});
	stream.on("data", (chunk: Buffer) => void reader.push(chunk));
	// A pipe that breaks when its process is killed ends the log, nothing else.
	stream.on("error", () => {});
	return reader.end;
}

/** Prints a log to stderr, each line with the function that wrote it: `onLog: printLog`. */
export function printLog({ functionName, message }: Pick<LocalLambdaLog, "functionName" | "message">): void {
	process.stderr.write(`${functionName} | ${message}\n`);
}

/**
 * For a host that takes no log: keeps the last lines of each function, and prints them when an invocation has failed, so that no
 * failure is without its reason.
 */
export function createFailurePrinter(): (log: LocalLambdaLog) => void {
	const kept = new Map<string, string[]>();
	return ({ functionName, logStreamName, source, message }) => {
		const lines = kept.get(logStreamName) ?? [];
		kept.set(logStreamName, lines);
		lines.push(message.slice(0, longestKeptLine));
		if (lines.length > keptLines) lines.shift();
		const isEnd = source === "platform" && /^(REPORT|INIT_REPORT) /.test(message);
		if (!isEnd) return;
		if (/\tStatus: (error|timeout)/.test(message)) {
			printLog({ functionName, message: "failed; the end of its log follows (onLog: printLog prints all of it)" });
			for (const line of lines) printLog({ functionName, message: line });
		}
		kept.delete(logStreamName);
	};
}

const keptLines = 40;
const longestKeptLine = 2000;

export type Report = {
	readonly requestId: string;
	readonly durationMs: number;
	/** Only for the invocation that followed a successful INIT phase. */
	readonly initDurationMs?: number | undefined;
	readonly memorySizeMb: number;
	/** Where the platform tells it: of all processes of the environment. */
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
