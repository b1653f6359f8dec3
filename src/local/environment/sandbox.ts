import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { guardHostExit } from "../../process/host-exit.ts";
import type { EnvironmentEvent } from "../event.ts";
import type { ResolvedFunction } from "../options.ts";
import type { ProcessExit } from "./function-error.ts";
import { createMailbox, type Mailbox } from "./mailbox.ts";
import type { ResponseOutput } from "./response-output.ts";
import type { RuntimeAnswer } from "./runtime-answer.ts";
import { type RuntimeInvocation, startRuntimeApi } from "./runtime-api.ts";
import { type RuntimeProcess, type RuntimeProcessListener, startRuntimeProcess } from "./runtime-process.ts";
import { createEnvironmentVariables } from "./variables.ts";

/** What a runtime process does next. */
export type RuntimeEvent =
	| { readonly type: "ready" }
	| { readonly type: "answer"; readonly answer: RuntimeAnswer }
	| { readonly type: "initError"; readonly payload: Buffer }
	| { readonly type: "exit"; readonly exit: ProcessExit };

/** A place for one runtime process at a time, with what outlives it: Runtime API, temporary folder and log stream. */
export type Sandbox = {
	readonly logStreamName: string;
	readonly pid: number | undefined;
	/** Whether there is a runtime process that has not exited. */
	readonly isAlive: boolean;
	readonly frozen: boolean;
	/** Starts a runtime process; there must be none. */
	start(): void;
	/** The next thing that the runtime process does, or `undefined` when nothing happens for so long. */
	take(waitMs: number): Promise<RuntimeEvent | undefined>;
	deliver(invocation: RuntimeInvocation, deadlineMs: number, output: ResponseOutput | undefined): void;
	freeze(): void;
	thaw(): void;
	flushLogs(): Promise<void>;
	readMaxMemoryMb(): number | undefined;
	/** Ends all processes; resolves when they are gone and their output is read. */
	reset(): Promise<void>;
	/** As reset, for ever: the temporary folder goes as well. */
	close(): Promise<void>;
};

export type SandboxListener = Pick<RuntimeProcessListener, "onLine"> & {
	/** Of its processes. */
	readonly onEvent: (event: EnvironmentEvent) => void;
};

export async function createSandbox(fn: ResolvedFunction, { onLine, onEvent }: SandboxListener): Promise<Sandbox> {
	const date = new Date().toISOString().slice(0, 10).replaceAll("-", "/");
	const logStreamName = `${date}/[$LATEST]${randomUUID().replaceAll("-", "")}`;
	const temporaryFolder = await mkdtemp(join(tmpdir(), "lambda-"));
	let events: Mailbox<RuntimeEvent> = createMailbox();
	const api = await startRuntimeApi({
		onReady: () => events.put({ type: "ready" }),
		onAnswer: (answer) => events.put({ type: "answer", answer }),
		onInitError: (payload) => events.put({ type: "initError", payload }),
	});
	let runtime: RuntimeProcess | undefined;
	let frozen = false;
	let closed = false;

	const releaseHostExit = guardHostExit(() => {
		runtime?.kill();
		rmSync(temporaryFolder, { recursive: true, force: true });
	});

	const reset = async (): Promise<void> => {
		const ending = runtime;
		ending?.kill();
		await ending?.gone();
		await ending?.flushLogs();
		if (runtime === ending) runtime = undefined;
		frozen = false;
	};

	return {
		logStreamName,
		get pid() {
			return runtime?.hasExited === false ? runtime.pid : undefined;
		},
		get isAlive() {
			return runtime?.hasExited === false;
		},
		get frozen() {
			return frozen;
		},
		start: () => {
			if (closed) throw new Error("The environment is closed");
			const ownEvents: Mailbox<RuntimeEvent> = createMailbox();
			events = ownEvents;
			api.reset();
			const variables = createEnvironmentVariables(fn, { runtimeApi: api.address, logStreamName, temporaryFolder });
			runtime = startRuntimeProcess(fn, variables, [temporaryFolder, logStreamName], {
				onLine,
				onExit: (exit) => ownEvents.put({ type: "exit", exit }),
				onProcess: onEvent,
			});
		},
		take: async (waitMs) => await events.take(waitMs),
		deliver: api.deliver,
		freeze: () => {
			const pids = runtime?.freeze() ?? [];
			frozen = true;
			onEvent({ type: "frozen", pids });
		},
		thaw: () => {
			if (!frozen) return;
			const pids = runtime?.thaw() ?? [];
			frozen = false;
			onEvent({ type: "thawed", pids });
		},
		flushLogs: async () => await runtime?.flushLogs(),
		readMaxMemoryMb: () => runtime?.readMaxMemoryMb(),
		reset,
		close: async () => {
			closed = true;
			await reset();
			api.close();
			await rm(temporaryFolder, { recursive: true, force: true, maxRetries: 3 });
			releaseHostExit();
		},
	};
}
