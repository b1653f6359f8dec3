import { startAwakeTimer } from "../child/awake-timer.ts";

/** Whether a server that outlives its requests still reacts. */
export type Liveness = {
	/** Asks for a sign of life; `onDead` is called if none comes. */
	readonly doubt: () => void;
	/** Must be called when the server has answered a request. */
	readonly answered: () => void;
	/** Whether it is not known for now. */
	readonly isDoubted: () => boolean;
	/** Resolves when it is known. */
	readonly settled: () => Promise<void>;
};

export type LivenessOptions = {
	/** Asks the server, apart from all requests. */
	readonly ping: () => { readonly answered: Promise<void>; readonly forget: () => void };
	/** Whether something has come up since the last ping that another one has to clear. */
	readonly needsPing: () => boolean;
	readonly onDead: () => void;
};

/** How long a server may be silent, after a cancellation or in a line that does not end, before it is replaced. */
const graceMs = 1000;

/**
 * A cancelled request is not answered, so silence alone means nothing: the server is asked. Only an answer counts, to the ping
 * or to another request: log messages and progress are written by loops that no longer read as well.
 */
export function createLiveness({ ping, needsPing, onDead }: LivenessOptions): Liveness {
	let doubted: Promise<void> | undefined;
	let answers = 0;

	async function ask(): Promise<void> {
		do {
			const before = answers;
			const grace = Promise.withResolvers<void>();
			const cancelGrace = startAwakeTimer(graceMs, grace.resolve);
			const asked = ping();
			let isAlive = false;
			const alive = asked.answered.then(() => {
				isAlive = true;
			});
			await Promise.race([alive, grace.promise]);
			cancelGrace();
			asked.forget();
			if (!isAlive) {
				if (answers === before) onDead();
				return;
			}
		} while (needsPing());
	}

	return {
		doubt() {
			doubted ??= ask().finally(() => {
				doubted = undefined;
			});
		},
		answered() {
			answers += 1;
		},
		isDoubted: () => doubted !== undefined,
		settled: async () => await doubted,
	};
}
