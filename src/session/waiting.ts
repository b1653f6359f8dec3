import type { PendingWrite } from "../child/writer.ts";
import type { McpStdioError } from "../errors.ts";
import type { JsonRpcResponse } from "../jsonrpc.ts";
import type { Addressee } from "./notifications.ts";

/** A request that waits for its answer. */
type Waiting = Addressee & {
	readonly resolve: (response: JsonRpcResponse) => void;
	readonly reject: (error: McpStdioError) => void;
	/** What was written of it; `undefined` before. */
	write: PendingWrite | undefined;
};

/** The requests of a conversation that wait for their answers, by the id that the server knows them by. */
export type WaitingRequests = {
	readonly byId: ReadonlyMap<number, Waiting>;
	/** `onAbort` is called once, when the caller stops waiting, unless the request was answered before. */
	readonly add: (id: number, request: Addressee, onAbort: () => void) => Promise<JsonRpcResponse>;
	/** From then on it waits no more; the caller of `take` settles it. */
	readonly take: (id: number) => Waiting | undefined;
	/** The id of the only one; `undefined` when there is none or are several. */
	readonly onlyId: () => number | undefined;
	/** Fails every request that waits, each with an error of its own. */
	readonly failAll: (error: McpStdioError) => void;
};

const undelivered = new WeakSet<Error>();

/** Whether a request provably never reached its server, so that giving it to another process cannot run it twice. */
export function wasUndelivered(error: McpStdioError): boolean {
	return undelivered.has(error);
}

/** The same failure, marked as one of a request that never reached its server. */
export function asUndelivered(error: McpStdioError): McpStdioError {
	undelivered.add(error);
	return error;
}

export function createWaitingRequests(): WaitingRequests {
	const byId = new Map<number, Waiting>();
	return {
		byId,
		add(id, request, onAbort) {
			return new Promise((resolve, reject) => {
				const { signal } = request;
				byId.set(id, {
					...request,
					write: undefined,
					resolve: (response) => {
						signal?.removeEventListener("abort", onAbort);
						resolve(response);
					},
					reject: (error) => {
						signal?.removeEventListener("abort", onAbort);
						reject(error);
					},
				});
				if (signal?.aborted) onAbort();
				else signal?.addEventListener("abort", onAbort, { once: true });
			});
		},
		take(id) {
			const request = byId.get(id);
			byId.delete(id);
			return request;
		},
		onlyId: () => (byId.size === 1 ? byId.keys().next().value : undefined),
		failAll(error) {
			const failed = [...byId.values()];
			byId.clear();
			for (const { write, reject } of failed) {
				const own = error.with({});
				reject(write?.state === "queued" || write?.state === "failed" ? asUndelivered(own) : own);
			}
		},
	};
}
