/** A queue with one reader. */
export type Mailbox<T> = {
	put(item: T): void;
	/** The next item; `undefined` when none has come after so many ms. Throws while another reader waits. */
	take(waitMs: number): Promise<T | undefined>;
};

export function createMailbox<T>(): Mailbox<T> {
	const items: T[] = [];
	let deliver: (() => void) | undefined;
	return {
		put: (item) => {
			items.push(item);
			deliver?.();
		},
		take: (waitMs) => {
			if (deliver) throw new Error("The mailbox has a reader already");
			return new Promise((resolve) => {
				let timer: NodeJS.Timeout | undefined;
				deliver = () => {
					clearTimeout(timer);
					deliver = undefined;
					resolve(items.shift());
				};
				if (items.length > 0) deliver();
				else timer = setTimeout(deliver, Math.max(0, waitMs));
			});
		},
	};
}
