import { type Observer, tell } from "../observer.ts";
import type { ResolvedLifetimeOptions } from "../options.ts";
import type { ResolvedServerParams } from "../params.ts";
import { withoutKeptState } from "../protocol/capabilities.ts";
import { legacyVersions } from "../protocol/revisions.ts";
import { serverErrorBehind } from "../session/refusal.ts";
import { createHandshakes } from "./initialize-results.ts";
import { createIsolated } from "./isolated.ts";
import { createKept } from "./kept.ts";
import type { Lease } from "./lease.ts";
import { createStarter, type Starter } from "./starter.ts";

/** The child processes of one server: which of them serves a request, in either lifetime. */
export type Server = {
	/** What it is called in messages and logs. */
	readonly name: string;
	readonly lease: (options: ResolvedLifetimeOptions, signal: AbortSignal) => Promise<Lease>;
	/** The server's result of `initialize` for a protocol version; costs a process only the first time. */
	readonly initialize: (
		protocolVersion: string,
		options: ResolvedLifetimeOptions,
		signal: AbortSignal,
	) => Promise<Record<string, unknown>>;
	/** Starts what the next request will need. */
	readonly prewarm: (options: ResolvedLifetimeOptions, signal: AbortSignal) => Promise<void>;
	/** Ends every process; what is in flight fails with ABORTED. Resolves when nothing is left of them. */
	readonly close: () => Promise<void>;
	/** Whether nobody is being served. */
	readonly isIdle: () => boolean;
};

/**
 * What a server answers that speaks the older revisions as well, as the official SDKs do: the version that it is asked for,
 * or its own where it does not know that or is older itself.
 */
function negotiated(asked: string, own: unknown): unknown {
	return legacyVersions.includes(asked) && typeof own === "string" && asked < own ? asked : own;
}

export function createServer(params: ResolvedServerParams): Server {
	const handshakes = createHandshakes((interruption) => starter.whileStarting(interruption));
	let observer: Observer | undefined;
	let leased = 0;
	const starter: Starter = createStarter(params, () => observer, handshakes.remember);
	const isolated = createIsolated(params.name, starter, (error) =>
		tell(observer, "failure", { server: params.name, error }),
	);
	const kept = createKept(params.name, starter);

	async function whileInUse<T>(work: () => Promise<T>): Promise<T> {
		leased += 1;
		try {
			return await work();
		} finally {
			leased -= 1;
		}
	}

	return {
		name: params.name,
		async lease(options, signal) {
			observer = options.observer;
			if (signal.aborted) throw starter.whileStarting(signal.reason);
			leased += 1;
			try {
				const lease = await (options.lifetime === "environment"
					? kept.lease(options, signal)
					: isolated.lease(options, signal));
				return {
					session: lease.session,
					source: lease.source,
					sent: lease.sent,
					release: (interrupted) => {
						leased -= 1;
						lease.release(interrupted);
					},
				};
			} catch (error) {
				leased -= 1;
				throw error;
			}
		},
		async initialize(protocolVersion, options, signal) {
			observer = options.observer;
			return await whileInUse(async () => {
				if (options.lifetime === "request") {
					const result = await handshakes.result(protocolVersion, signal, (own) =>
						isolated.shakeHands(protocolVersion, options, own),
					);
					return withoutKeptState(result);
				}
				const version = starter.version();
				try {
					// The kept process has shaken hands, and no other is started for an older version of the same protocol.
					const result = await handshakes.result(version, signal, (own) => kept.open(options, own));
					return { ...result, protocolVersion: negotiated(protocolVersion, result.protocolVersion) };
				} catch (error) {
					if (!serverErrorBehind(error) || protocolVersion === version) throw error;
					return await handshakes.result(protocolVersion, signal, (own) =>
						isolated.shakeHands(protocolVersion, options, own),
					);
				}
			});
		},
		async prewarm(options, signal) {
			observer = options.observer;
			starter.prewarms();
			await whileInUse(async () => {
				await (options.lifetime === "environment" ? kept.open(options, signal) : isolated.prewarm(options, signal));
			});
		},
		async close() {
			isolated.close();
			kept.close();
			await starter.close();
		},
		isIdle: () => leased === 0,
	};
}
