import type { JsonRpcNotification } from "../jsonrpc.ts";
import type { ConversationRequest } from "./conversation.ts";

/** A request that waits for its answer, with the progress token that its caller gave. */
export type Addressee = ConversationRequest & { readonly callerToken: string | number | undefined };

/** Tells which request a server's notification belongs to, and gives it to that request's caller. */
export type Notifications = {
	/** Returns whether a caller was told. */
	readonly receive: (notification: JsonRpcNotification) => boolean;
	/** A request was given up after it had been sent: what the server still writes may be about it. */
	readonly gaveUp: (id: number) => void;
	/** The server has answered a request that was given up: nothing more comes of it. */
	readonly settled: (id: number) => void;
	/** Whether what the server writes may still be about a request that was given up. */
	readonly isUncertain: () => boolean;
	/** Whether the server may not know yet of something that was given up. */
	readonly needsMark: () => boolean;
	/** What was given up until now is over once the function that is returned is called. */
	readonly mark: () => () => void;
};

/** Requests that were given up are forgotten beyond this many. */
const mostGivenUp = 1000;

/** How long progress of a request that was given up says that it is still worked on. */
const lateProgressMs = 1000;

export function createNotifications(
	waiting: ReadonlyMap<number, Addressee>,
	onNoise: (problem: string, text: string) => void,
): Notifications {
	/** Those that the server may not have read of yet, and all of the last time. */
	const givenUp = new Set<number>();
	const remembered = new Set<number>();
	let lateProgressAt = Number.NEGATIVE_INFINITY;

	function isUncertain(): boolean {
		return givenUp.size > 0 || performance.now() - lateProgressAt < lateProgressMs;
	}

	function deliver({ onNotification }: ConversationRequest, notification: JsonRpcNotification): boolean {
		const failed = (): void => onNoise("onNotification threw", notification.method);
		try {
			const told: unknown = onNotification?.(notification);
			if (told instanceof Promise) told.catch(failed);
		} catch {
			failed();
		}
		return true;
	}

	function receiveProgress(notification: JsonRpcNotification): boolean {
		const { params } = notification;
		const id = ownNumber(params?.progressToken);
		const request = id === undefined ? undefined : waiting.get(id);
		if (request?.callerToken !== undefined) {
			return deliver(request, { ...notification, params: { ...params, progressToken: request.callerToken } });
		}
		// A server that goes on after it was told to stop may log as well.
		if (id !== undefined && remembered.has(id)) lateProgressAt = performance.now();
		onNoise("progress that no request asked for", notification.method);
		return false;
	}

	return {
		receive(notification) {
			const message = withoutNullParams(notification);
			if (message.method === "notifications/progress") return receiveProgress(message);
			const [request] = waiting.size === 1 && !isUncertain() ? waiting.values() : [];
			if (request) return deliver(request, message);
			onNoise("a notification that cannot be told to belong to one request", message.method);
			return false;
		},
		gaveUp(id) {
			givenUp.add(id);
			remembered.add(id);
			if (remembered.size <= mostGivenUp) return;
			const [oldest = id] = remembered;
			remembered.delete(oldest);
			givenUp.delete(oldest);
		},
		settled(id) {
			remembered.delete(id);
			givenUp.delete(id);
		},
		isUncertain,
		needsMark: () => givenUp.size > 0,
		mark() {
			const marked = [...givenUp];
			return () => {
				for (const id of marked) givenUp.delete(id);
			};
		},
	};
}

/** An id or token of ours that came back: some servers make a string of the number. */
export function ownNumber(value: unknown): number | undefined {
	if (typeof value === "number") return value;
	return typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

function withoutNullParams(notification: JsonRpcNotification): JsonRpcNotification {
	if ((notification.params as unknown) !== null) return notification;
	const { params: _params, ...rest } = notification;
	return rest as JsonRpcNotification;
}
