import type { Interruption } from "../deadline.ts";

/** A cap on how many processes live at once, with a queue in the order of arrival. */
export type Slots = {
	/** Waits for a free slot; rejects with what `toError` makes of the signal's reason, or with what `cancel` was given. */
	readonly acquire: (
		limit: number,
		signal: AbortSignal,
		toError: (interruption: Interruption) => Error,
	) => Promise<void>;
	/** Takes a slot only when one is free and nobody waits for it. */
	readonly tryAcquire: (limit: number) => boolean;
	readonly release: () => void;
	readonly waiting: () => number;
	/** Fails everyone who waits. */
	readonly cancel: (error: Error) => void;
};

type Waiter = { readonly limit: number; readonly admit: () => void; readonly fail: (error: Error) => void };

/** `onWait` is told whenever someone has to wait. */
export function createSlots(onWait: () => void): Slots {
	const queue = new Set<Waiter>();
	let used = 0;

	function admitWaiting(): void {
		for (const waiter of queue) {
			if (used >= waiter.limit) return;
			used += 1;
			waiter.admit();
		}
	}

	return {
		acquire(limit, signal, toError) {
			if (used < limit && queue.size === 0) {
				used += 1;
				return Promise.resolve();
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
				const waiter: Waiter = {
					limit,
					admit: () => {
						leave();
						resolve();
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
