import type { McpStdioError } from "../errors.ts";
import type { ExitReason, SessionSource } from "../observer.ts";
import { isRecord, type Outcome, type Reporter, type RequestRecord } from "./record.ts";

/** What is used of a Powertools Logger: https://docs.aws.amazon.com/powertools/typescript/latest/features/logger/ */
export type PowertoolsLogger = {
	debug(message: string, attributes: Record<string, unknown>): void;
	info(message: string, attributes: Record<string, unknown>): void;
	warn(message: string, attributes: Record<string, unknown>): void;
	error(message: string, attributes: Record<string, unknown>): void;
};

type Level = keyof PowertoolsLogger;

/** Failures that are the caller's doing. */
const callersFailures: ReadonlySet<string> = new Set(["INVALID_JSON", "INVALID_MESSAGE", "ABORTED"]);

const routineEnds: ReadonlySet<ExitReason> = new Set(["answered", "closed", "stale"]);

/** One line for each request, and lines about what happens to the server. */
export function createLogReporter(logger: PowertoolsLogger): Reporter {
	return {
		observer: {
			ready({ correlation, server, pid, source, elapsedMs }) {
				const facts = { server, pid, source, start_ms: rounded(elapsedMs) };
				logger.info(`MCP server ${server} started`, attributes(correlation, facts));
			},
			exit({ correlation, server, pid, exitCode, signal, reason }) {
				const facts = { server, pid, reason, exit_code: exitCode, signal };
				const level = routineEnds.has(reason) ? "info" : "warn";
				logger[level](`MCP server ${server} ended: ${reason}`, attributes(correlation, facts));
			},
			stderr({ correlation, server, pid, line, requestId }) {
				const facts = { server, pid, stream: "stderr", request_id: requestId };
				logger[levelOf(line)](line, attributes(correlation, facts));
			},
			// The text is left out after the first: it may be a late result.
			noise({ correlation, server, pid, problem, text, first }) {
				const facts = { server, pid, stdout: first ? text : undefined };
				logger[first ? "warn" : "debug"](`MCP server ${server} wrote ${problem}`, attributes(correlation, facts));
			},
			failure({ correlation, server, error }) {
				if (isRecord(correlation)) return;
				logger.error(error.message, attributes(undefined, { server, ...failureFacts(error) }, error));
			},
		},
		end(record, outcome, errorCode) {
			const { failure } = record;
			const facts = {
				outcome,
				duration_ms: rounded(performance.now() - record.startedAt),
				error_code: errorCode,
				answered_by: record.answeredByHandler ? "handler" : undefined,
				server: record.server,
				pid: record.pid,
				lifetime: record.source && lifetimeOf(record.source),
				source: record.source === "kept" ? (record.started ? "fresh" : "reused") : record.source,
				waited_ms: rounded(record.waitedMs),
				...(failure && failureFacts(failure)),
			};
			logger[requestLevel(outcome, failure)](
				failure?.message ?? `MCP ${requestName(record)}: ${outcome}`,
				attributes(record, facts, failure),
			);
		},
	};
}

function lifetimeOf(source: SessionSource): string {
	return source === "kept" ? "environment" : "request";
}

function requestName({ method, target }: RequestRecord): string {
	return [method ?? "request", target?.name].filter((part) => part !== undefined).join(" ");
}

function requestLevel(outcome: Outcome, failure: McpStdioError | undefined): Level {
	if (failure) return callersFailures.has(failure.code) ? "warn" : "error";
	return outcome === "result" ? "info" : "warn";
}

// The names at the top level are those of Powertools; they are given here because Powertools itself cannot know to which of
// several invocations a line belongs.
function attributes(correlation: unknown, facts: Record<string, unknown>, error?: Error): Record<string, unknown> {
	if (!isRecord(correlation)) return { mcp: present(facts), ...(error && { error }) };
	const { invocation, requestId, method, target } = correlation;
	const named = { method, ...(target && { [target.kind]: target.name }), request_id: requestId };
	return {
		...present({ function_request_id: invocation.awsRequestId, cold_start: invocation.coldStart }),
		mcp: present({ ...named, ...present(facts) }),
		...(error && { error }),
	};
}

function failureFacts({ code, data, stderr }: McpStdioError): Record<string, unknown> {
	return {
		code,
		phase: data.phase,
		exit_code: data.exitCode,
		signal: data.signal,
		attempts: data.attempts,
		retry_after_ms: data.retryAfterMs,
		stderr: stderr.length > 0 ? stderr : undefined,
	};
}

function present(facts: Record<string, unknown>): Record<string, unknown> {
	return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined && value !== null));
}

function rounded(ms: number | undefined): number | undefined {
	return ms === undefined ? undefined : Math.round(ms * 100) / 100;
}

const searchedLength = 120;

// A word counts as a level where programs put one: in capitals, in brackets, before a colon or at the start.
const levelPatterns: readonly (readonly [Level, RegExp])[] = [
	[
		"error",
		/\b(?:FATAL|CRITICAL|PANIC|ERROR|EXCEPTION)\b|\[(?:fatal|critical|error)\]|(?:^|"level":\s*")(?:fatal|error)\b/,
	],
	["error", /^(?:Uncaught |Unhandled )?[\w.]*(?:Error|Exception)\b.*:|^(?:Fatal|Panic|Traceback)\b/],
	["warn", /\bWARN(?:ING)?\b|\[warn(?:ing)?\]|(?:^|"level":\s*")warn(?:ing)?\b|^(?:\(node:\d+\) )?\w*Warning:/],
	["debug", /\b(?:DEBUG|TRACE)\b|\[(?:debug|trace)\]|(?:^|"level":\s*")(?:debug|trace)\b/],
];

/** The level that a line on stderr seems to have; servers write there whatever they have to say. */
function levelOf(line: string): Level {
	const head = line.slice(0, searchedLength);
	return levelPatterns.find(([, pattern]) => pattern.test(head))?.[0] ?? "info";
}
