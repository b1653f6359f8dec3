import { type Mock, vi } from "vitest";
import { McpStdioError } from "../../src/errors.ts";
import type { StartedSession } from "../../src/server/started.ts";
import type { Starter } from "../../src/server/starter.ts";
import type { Session } from "../../src/session/session.ts";

type FakeProcess = {
	readonly session: Session;
	/** What it was started as, and why it was ended. */
	readonly source: unknown;
	state: "starting" | "ready" | "ended" | "gone";
	endedFor: unknown;
	/** What it inherited has changed since. */
	stale: boolean;
	/** It was given up by its callers. */
	givenUp: boolean;
	/** It is not known whether it still reacts; `settle` tells. */
	readonly doubt: () => { readonly settle: (alive: boolean) => void };
	/** It has answered `initialize`. */
	readonly becomeReady: () => void;
	/** Its handshake has failed. */
	readonly fail: (error: McpStdioError) => void;
	/** It has ended, and its slot is free. */
	readonly goAway: () => void;
};

export const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** Starts processes that do nothing by themselves. */
export type FakeStarter = {
	readonly starter: Starter;
	readonly processes: FakeProcess[];
	readonly hurry: Mock<() => void>;
	readonly alive: () => FakeProcess[];
};

export function createFakeStarter({ isTraced = false }: { readonly isTraced?: boolean } = {}): FakeStarter {
	const processes: FakeProcess[] = [];
	const hurry = vi.fn<() => void>();

	function start(source: unknown, _version: string, onFree: () => void): StartedSession {
		const ready = Promise.withResolvers<Session>();
		const exited = Promise.withResolvers<never>();
		ready.promise.catch(() => {});
		const end = (reason: unknown): void => {
			fake.endedFor ??= reason;
			if (fake.state !== "gone") fake.state = "ended";
		};
		let doubt: PromiseWithResolvers<void> | undefined;
		const session = {
			isOpen: () => fake.state === "ready",
			lastActiveAt: () => performance.now(),
			isDoubted: () => doubt !== undefined,
			trusted: () => doubt?.promise ?? Promise.resolve(),
			end,
			exited: exited.promise,
		} as unknown as Session;
		const fake: FakeProcess = {
			session,
			source,
			state: "starting",
			endedFor: undefined,
			stale: false,
			givenUp: false,
			doubt() {
				doubt = Promise.withResolvers();
				return {
					settle: (alive) => {
						if (!alive) fake.state = "ended";
						doubt?.resolve();
						doubt = undefined;
					},
				};
			},
			fail: (error) => {
				fake.state = "ended";
				ready.reject(error);
			},
			becomeReady: () => {
				fake.state = "ready";
				ready.resolve(session);
			},
			goAway: () => {
				fake.state = "gone";
				exited.resolve(undefined as never);
				onFree();
			},
		};
		processes.push(fake);
		return {
			ready: ready.promise,
			untilReady: (signal) =>
				new Promise((resolve, reject) => {
					const interrupt = (): void => reject(new McpStdioError("TIMEOUT", "interrupted"));
					if (signal.aborted) interrupt();
					signal.addEventListener("abort", interrupt, { once: true });
					ready.promise.then(resolve, reject);
				}),
			isGivenUp: () => fake.givenUp,
			isTraced: () => isTraced,
			session: () => (fake.state === "ready" ? session : undefined),
			isStale: () => fake.stale,
			end: (reason) => end(reason),
		};
	}

	const starter = {
		breaker: {
			admit: async (_signal: unknown, _toError: unknown, work: () => unknown) => work(),
			isPausing: () => false,
		},
		version: () => "2025-11-25",
		start,
		whileStarting: () => new McpStdioError("TIMEOUT", "starting"),
		hurry,
		isClosed: () => false,
	} as unknown as Starter;
	return { starter, processes, hurry, alive: () => processes.filter(({ state }) => state !== "gone") };
}
