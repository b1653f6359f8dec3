import { startAwakeTimer } from "../child/awake-timer.ts";
import type { IncomingMessage } from "../child/incoming.ts";
import { isObject, type JsonRpcResponse } from "../jsonrpc.ts";
import type { ConversationOptions } from "./conversation.ts";
import { type Notifications, ownNumber } from "./notifications.ts";
import type { WaitingRequests } from "./waiting.ts";

/** Tells which request a server's response belongs to, and gives it to that request's caller as a valid one. */
export type Answers = {
	readonly receive: (message: IncomingResponse) => void;
	/** The server was sent a notification, about which it may complain. */
	readonly notified: () => void;
	/** Calls back when the server answers the ping with this id; the function that is returned forgets it. */
	readonly onPong: (id: number, told: () => void) => () => void;
};

type IncomingResponse = Extract<IncomingMessage, { kind: "response" }>;

const methodNotFound = -32601;

/** How long the answer of a request is waited for after an error without an id that may be about something else. */
const complaintGraceMs = 250;

/** A shorter response fits into the answer of every source, however it is written there. */
const largeLength = 128 * 1024;
const large = new WeakSet<object>();

/** Whether a server's response is so long that its size has to be looked at where there is a limit. */
export function isLarge(response: JsonRpcResponse): boolean {
	return large.has(response);
}

export function createAnswers(
	waiting: WaitingRequests,
	notifications: Notifications,
	/** Whether a request with this id was ever made. */
	isKnown: (id: number) => boolean,
	{ failure, onNoise, onUseful }: Pick<ConversationOptions, "failure" | "onNoise" | "onUseful">,
): Answers {
	const pings = new Map<number, () => void>();
	let notified = 0;
	let complaints = 0;

	/** A server that could not read an id answers null: it can only mean the one request that it has. */
	function idOf(id: unknown, response: Record<string, unknown>): number | undefined {
		if (id !== null) return ownNumber(id);
		return isObject(response.error) && !notifications.isUncertain() ? waiting.onlyId() : undefined;
	}

	/**
	 * Servers that know no notifications complain about each with this code, and with null for the id that it has not. So it is
	 * held back: from then on until the answer comes, or until there is none after a while.
	 */
	function receiveComplaint(message: IncomingResponse): void {
		const id = idOf(null, message.response);
		if (complaints < notified || id === undefined) {
			complaints += 1;
			onNoise("a complaint about a notification", textOf(message.response));
			return;
		}
		startAwakeTimer(complaintGraceMs, () => {
			if (waiting.byId.has(id)) receiveResponse({ ...message, id });
		});
	}

	function receiveUnexpected(id: number | undefined, response: Record<string, unknown>): void {
		const isLate = id !== undefined && isKnown(id);
		if (isLate) notifications.settled(id);
		onNoise(isLate ? "a late or second answer" : "an answer to a request that was never made", textOf(response));
	}

	function receiveResponse({ id, response, writable, length }: IncomingResponse): void {
		const ownId = idOf(id, response);
		const told = ownId === undefined ? undefined : pings.get(ownId);
		if (ownId !== undefined && told) {
			pings.delete(ownId);
			told();
			return;
		}
		const request = ownId === undefined ? undefined : waiting.take(ownId);
		if (!request) {
			receiveUnexpected(ownId, response);
			return;
		}
		onUseful("answer");
		const problem = writable ? problemOf(response) : "with more nesting than can be passed on";
		if (problem !== undefined) {
			request.reject(failure("INVALID_ANSWER", `answered ${problem}`));
			return;
		}
		response.jsonrpc = "2.0";
		response.id = request.request.id;
		if (length > largeLength) large.add(response);
		request.resolve(response as JsonRpcResponse);
	}

	return {
		receive: (message) => (isComplaint(message) ? receiveComplaint : receiveResponse)(message),
		notified: () => {
			notified += 1;
		},
		onPong(id, told) {
			pings.set(id, told);
			return () => pings.delete(id);
		},
	};
}

function isComplaint({ id, response }: IncomingResponse): boolean {
	return id === null && isObject(response.error) && response.error.code === methodNotFound;
}

/**
 * What is wrong with a response; `undefined` when nothing is. Members that are null beside the one that counts are left out:
 * serialisers of some languages write every member, and clients take both for neither.
 */
function problemOf(response: Record<string, unknown>): string | undefined {
	if ("result" in response && response.error === null) delete response.error;
	if (isObject(response.error) && response.result === null) delete response.result;
	if (response.method === null) delete response.method;
	if ("error" in response) return isObject(response.error) ? undefined : "with an error that is no object";
	return "result" in response ? undefined : "with neither a result nor an error";
}

function textOf(message: object): string {
	try {
		return JSON.stringify(message);
	} catch {
		return "(too deeply nested to show)";
	}
}
