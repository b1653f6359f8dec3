import { createLogTail, formatReport, type LocalLambdaLog, type LogTail, type Report } from "../log.ts";
import type { ResolvedFunction } from "../options.ts";
import { describeExit, describeTimeout } from "./function-error.ts";
import type { RuntimeEvent } from "./sandbox.ts";

/** The log of an execution environment: each line belongs to the invocation that runs, if one does. */
export type EnvironmentLog = {
	write(source: LocalLambdaLog["source"], message: string): void;
	/** The next invocation begins. */
	begin(requestId: string): void;
	/** Says why Lambda itself ended an invocation: by what the runtime did, or because nothing happened in time. */
	writeCause(requestId: string, event: RuntimeEvent | undefined): void;
	/** The invocation that runs. */
	requestId(): string | undefined;
	/** Ends the invocation; returns the end of its log, base64. */
	end(outcome: Omit<Report, "requestId" | "memorySizeMb">): string;
};

/** @param logStreamName asked for with the first line */
export function createEnvironmentLog(
	fn: ResolvedFunction,
	logStreamName: () => string,
	onLog: (log: LocalLambdaLog) => void,
): EnvironmentLog {
	let running: { readonly requestId: string; readonly tail: LogTail } | undefined;

	const write: EnvironmentLog["write"] = (source, message) => {
		running?.tail.add(message);
		onLog({
			functionName: fn.name,
			logStreamName: logStreamName(),
			requestId: running?.requestId,
			source,
			message,
		});
	};

	return {
		write,
		begin: (requestId) => {
			running = { requestId, tail: createLogTail() };
		},
		writeCause: (requestId, event) => {
			if (event?.type === "exit") {
				write("platform", `RequestId: ${requestId} Error: ${describeExit(event.exit)}`);
				write("platform", "Runtime.ExitError");
			} else {
				write("platform", `${new Date().toISOString()} ${requestId} ${describeTimeout(fn.timeoutMs)}`);
			}
		},
		requestId: () => running?.requestId,
		end: (outcome) => {
			const ending = running;
			if (!ending) return "";
			const { requestId } = ending;
			write("platform", `END RequestId: ${requestId}`);
			write("platform", formatReport({ requestId, memorySizeMb: fn.memorySizeMb, ...outcome }));
			running = undefined;
			return ending.tail.toBase64();
		},
	};
}
