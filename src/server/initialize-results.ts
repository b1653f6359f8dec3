import { untilInterrupted } from "../deadline.ts";
import type { InterruptedError } from "./failures.ts";

/** What a server is asked for unless a caller's own `initialize` says otherwise: the last revision with a handshake. */
export const defaultProtocolVersion = "2025-11-25";

/** What a server answered to `initialize`, for each protocol version that was asked for. */
export type Handshakes = {
	/** The server's own result. `shakeHands` is run when it is not known yet, once for all who wait for it. */
	readonly result: (
		protocolVersion: string,
		signal: AbortSignal,
		shakeHands: (signal: AbortSignal) => Promise<unknown>,
	) => Promise<Record<string, unknown>>;
	readonly remember: (protocolVersion: string, result: Record<string, unknown>) => void;
};

/** Callers choose the versions, so there must be an end to them. */
const rememberedVersions = 16;

type Running = { readonly done: Promise<unknown>; readonly controller: AbortController; callers: number };

export function createHandshakes(whileStarting: InterruptedError): Handshakes {
	const results = new Map<string, string>();
	const running = new Map<string, Running>();

	function forget(protocolVersion: string, handshake: Running): void {
		if (running.get(protocolVersion) === handshake) running.delete(protocolVersion);
	}

	function run(protocolVersion: string, shakeHands: (signal: AbortSignal) => Promise<unknown>): Running {
		const controller = new AbortController();
		const done = shakeHands(controller.signal).finally(() => forget(protocolVersion, handshake));
		done.catch(() => {});
		const handshake: Running = { done, controller, callers: 0 };
		running.set(protocolVersion, handshake);
		return handshake;
	}

	return {
		async result(protocolVersion, signal, shakeHands) {
			if (!results.has(protocolVersion)) {
				if (signal.aborted) throw whileStarting(signal.reason);
				const handshake = running.get(protocolVersion) ?? run(protocolVersion, shakeHands);
				handshake.callers += 1;
				try {
					await untilInterrupted(handshake.done, signal, whileStarting);
				} finally {
					handshake.callers -= 1;
					if (handshake.callers === 0 && signal.aborted) {
						forget(protocolVersion, handshake);
						handshake.controller.abort(signal.reason);
					}
				}
			}
			// A copy each: callers may do with theirs what they like.
			return JSON.parse(results.get(protocolVersion) as string);
		},
		remember(protocolVersion, result) {
			results.delete(protocolVersion);
			results.set(protocolVersion, JSON.stringify(result));
			if (results.size <= rememberedVersions) return;
			// The default stays: a process that is ready tells its result only once.
			const oldest = [...results.keys()].find((version) => version !== defaultProtocolVersion);
			if (oldest !== undefined) results.delete(oldest);
		},
	};
}
