import type { ConversationOptions } from "./conversation.ts";
import type { WaitingRequests } from "./waiting.ts";

/** What a server wrote as an answer and cannot be read: fails the request that it was for. */
export type SpoiltAnswers = {
	/** Something came that looks like the answer to a request of ours, and cannot be read. */
	readonly receiveUnreadable: (id: number, text: string) => void;
	/** A message over the cap: told when it passes the cap, and with `ended` when it has ended. */
	readonly receiveOverlong: (id: number | undefined, ended: boolean, text: string) => void;
};

export function createSpoiltAnswers(
	waiting: WaitingRequests,
	{
		failure,
		onNoise,
		onUnusable,
		maxMessageBytes,
	}: Pick<ConversationOptions, "failure" | "onNoise" | "onUnusable" | "maxMessageBytes">,
): SpoiltAnswers {
	/** Whether the overlong message that is being read has been dealt with. */
	let isSettled = false;
	return {
		receiveUnreadable(id, text) {
			const details = [`It wrote: ${JSON.stringify(text.slice(0, 200))}`];
			waiting.take(id)?.reject(failure("INVALID_ANSWER", "answered with what is not JSON", details));
		},
		receiveOverlong(named, ended, text) {
			if (ended && isSettled) {
				isSettled = false;
				return;
			}
			const what = `wrote a line of more than ${maxMessageBytes} bytes; raise params.maxMessageBytes or ask for less`;
			const error = failure("MESSAGE_TOO_LARGE", what);
			const id = named ?? (ended ? undefined : waiting.onlyId());
			if (id !== undefined) {
				const request = waiting.take(id);
				if (request) request.reject(error);
				else onNoise("an overlong answer that no request waits for", text);
			} else if (ended && waiting.byId.size > 0) {
				// Which of several requests it answers cannot be told: none of them may wait for ever.
				onUnusable(error);
			}
			isSettled = !ended && (id !== undefined || waiting.byId.size === 0);
		},
	};
}
