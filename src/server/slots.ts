import type { Interruption } from "../deadline.ts";

/** A cap on how many processes live at once, with a queue in the order of arrival. */
export type Slots<T> = {
	/**
	 * Waits for the right to start a process, or for one that another caller gives back (if `takesGiven`), which holds a slot
	 * already. Rejects with what `toError` makes of the signal's reason, or with what `cancel` was given.
	 */
	readonly acquire: (
		limit: number,
		signal: AbortSignal,
		toError: (interruption: Interruption) => Error,
		takesGiven?: boolean,
	) => Promise<T | undefined>;
	/** Takes a slot only when one is free and no caller waits for it. */
	readonly tryAcquire: (limit: number) => boolean;
	/** Gives a process to the first caller that waits for one; `false` when none does. */
	readonly give: (given: T) => boolean;
	/** Whether a caller would have to wait. */
	readonly isFull: (limit: number) => boolean;
	readonly release: () => void;
	readonly waiting: () => number;
	/** Fails every caller that waits. */
	readonly cancel: (error: Error) => void;
};

type Waiter<T> = {
	readonly limit: number;
	readonly takesGiven: boolean;
	readonly admit: (given?: T) => void;
	readonly fail: (error: Error) => void;
};

/** `onWait` is told whenever a caller has to wait. */
export function createSlots<T>(onWait: () => void): Slots<T> {
	const queue = new Set<Waiter<T>>();
	let used = 0;

	function admitWaiting(): void {
		for (const waiter of queue) {
			if (used >= waiter.limit) return;
			used += 1;
			waiter.admit();
		}
	}

	return {
		acquire(limit, signal, toError, takesGiven = true) {
			if (used < limit && queue.size === 0) {
				used += 1;
				return Promise.resolve(undefined);
			}
			return new Promise((resolve, reject) => {
				const leave = (): void => {
					queue.delete(waiter);
					signal.removeEventListener("abort", interrupt);
				};
				const interrupt = (): void => {
					waiter.fail(toError(signal.reason));
					admitWaiting();
				};
				const waiter: Waiter<T> = {
					limit,
					takesGiven,
					admit: (given) => {
						leave();
						resolve(given);
					},
					fail: (error) => {
						leave();
						reject(error);
					},
				};
				if (signal.aborted) {
					interrupt();
					return;
				}
				signal.addEventListener("abort", interrupt, { once: true });
				queue.add(waiter);
				onWait();
			});
		},
		tryAcquire(limit) {
			if (used >= limit || queue.size > 0) return false;
			used += 1;
			return true;
		},
		give(given) {
			const [waiter] = [...queue].filter((candidate) => candidate.takesGiven);
			waiter?.admit(given);
			return waiter !== undefined;
		},
		isFull: (limit) => used >= limit || queue.size > 0,
		release() {
			used -= 1;
			admitWaiting();
		},
		waiting: () => queue.size,
		cancel(error) {
			for (const waiter of queue) waiter.fail(error);
		},
	};
}
