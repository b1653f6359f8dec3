import { constants } from "node:os";

/**
 * The largest answer that a function can give to a buffered invocation: 6 MiB and 100 bytes.
 *
 * https://github.com/aws/aws-lambda-runtime-interface-emulator/blob/main/internal/lambda/interop/model.go
 */
export const maxResponseBytes: number = 6 * 1024 * 1024 + 100;

/**
 * The largest answer that a function can stream: 200 MB, taken as MiB as in Lambda's other sizes.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
 */
export const maxStreamedResponseBytes: number = 200 * 1024 * 1024;

/** How a process ended, as `child_process` tells it. */
export type ProcessExit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** What Lambda itself puts in the payload when the function could not: the runtime's own errors carry a `trace` as well. */
export type FunctionError = { readonly errorType: string; readonly errorMessage: string };

export function timeoutError(requestId: string, timeoutMs: number): FunctionError {
	return {
		errorType: "Sandbox.Timedout",
		errorMessage: `RequestId: ${requestId} Error: ${describeTimeout(timeoutMs)}`,
	};
}

export function exitError(requestId: string, exit: ProcessExit): FunctionError {
	return { errorType: "Runtime.ExitError", errorMessage: `RequestId: ${requestId} Error: ${describeExit(exit)}` };
}

export function truncatedError(requestId: string): FunctionError {
	return {
		errorType: "Runtime.TruncatedResponse",
		errorMessage: `RequestId: ${requestId} Error: The connection of the streamed response broke before its end`,
	};
}

export function responseTooLargeError(limitBytes: number): FunctionError {
	return {
		errorType: "Function.ResponseSizeTooLarge",
		errorMessage: `Response payload size exceeded maximum allowed payload size (${limitBytes} bytes).`,
	};
}

export function describeTimeout(timeoutMs: number): string {
	return `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`;
}

export function describeExit({ code, signal }: ProcessExit): string {
	if (signal)
		return `Runtime exited with error: signal: ${signalNames[signal] ?? `signal ${constants.signals[signal]}`}`;
	return code === 0
		? "Runtime exited without providing a reason"
		: `Runtime exited with error: exit status ${code ?? 1}`;
}

// Lambda's supervisor is written in Go and prints Go's names: https://github.com/golang/go/blob/master/src/syscall/zerrors_linux_amd64.go
const signalNames: { readonly [signal in NodeJS.Signals]?: string } = {
	SIGHUP: "hangup",
	SIGINT: "interrupt",
	SIGQUIT: "quit",
	SIGILL: "illegal instruction",
	SIGTRAP: "trace/breakpoint trap",
	SIGABRT: "aborted",
	SIGBUS: "bus error",
	SIGFPE: "floating point exception",
	SIGKILL: "killed",
	SIGUSR1: "user defined signal 1",
	SIGSEGV: "segmentation fault",
	SIGUSR2: "user defined signal 2",
	SIGPIPE: "broken pipe",
	SIGALRM: "alarm clock",
	SIGTERM: "terminated",
};
