import type { ProcessExit } from "../child/process.ts";
import { type Observer, type ServerProcessInfo, type SessionSource, tell } from "../observer.ts";
import type { ConversationRequest } from "./conversation.ts";
import { createFloodGuard } from "./flood.ts";

/** Tells observers what happens to one child, and to which request it belongs. */
export type SessionEvents = {
	readonly spawned: (elapsedMs: number) => void;
	readonly ready: (elapsedMs: number) => void;
	readonly stderr: (line: string) => void;
	/** `isText` tells what is no message at all from a message that cannot be used, which may be a late result. */
	readonly noise: (problem: string, text: string, isText?: boolean) => void;
	readonly exited: (exit: ProcessExit) => void;
	/** The server has done something for a request. */
	readonly useful: () => void;
	/** The first thing on stdout that was no message: what a program prints that is no MCP server. */
	readonly firstText: () => string | undefined;
};

export type SessionEventsOptions = {
	readonly info: () => ServerProcessInfo;
	readonly source: SessionSource;
	readonly isStarting: () => boolean;
	/** Of the request that the child is started for. */
	readonly correlation: unknown;
	/** The requests that what the child writes now may be about. */
	readonly requests: () => readonly ConversationRequest[];
	/** The observer of what is about no request. */
	readonly observer: () => Observer | undefined;
	/** The child writes without pause, and does nothing else. */
	readonly onFlood: () => void;
};

const longestText = 200;

export function createSessionEvents(options: SessionEventsOptions): SessionEvents {
	const { info, source, isStarting, requests, onFlood } = options;
	let firstText: string | undefined;
	const flood = createFloodGuard({
		onLeftOut: (count) => tellAll("noise", { problem: `${count} more lines than an observer is told of`, ...nothing }),
		onFlood,
	});
	const nothing = { text: "", first: false };

	function observers(): Observer[] {
		const involved = new Set(requests().map(({ observer }) => observer ?? options.observer()));
		if (involved.size === 0) involved.add(options.observer());
		return [...involved].filter((observer) => observer !== undefined);
	}

	/** The request that the child works on, when there is exactly one. */
	function only(): ConversationRequest | undefined {
		const [request, ...others] = isStarting() ? [] : requests();
		return others.length === 0 ? request : undefined;
	}

	function correlation(): unknown {
		return isStarting() ? options.correlation : only()?.correlation;
	}

	function tellAll(kind: "stderr" | "noise" | "exit", event: object): void {
		for (const observer of observers()) tell(observer, kind, { ...info(), ...event } as never);
	}

	return {
		spawned: (elapsedMs) => {
			tell(options.observer(), "spawn", { ...info(), source, elapsedMs, correlation: options.correlation });
		},
		ready: (elapsedMs) => {
			tell(options.observer(), "ready", { ...info(), source, elapsedMs, correlation: options.correlation });
		},
		stderr(line) {
			// While a request is worked on, its deadline is limit enough.
			if (requests().length === 0) flood.count();
			tellAll("stderr", { line, requestId: only()?.request.id, correlation: correlation() });
		},
		noise(problem, text, isText = false) {
			const excerpt = text.slice(0, longestText);
			const first = isText && firstText === undefined;
			if (first) firstText = excerpt;
			if (flood.admits()) tellAll("noise", { problem, text: excerpt, first });
		},
		exited: (exit) => tellAll("exit", { ...exit, correlation: correlation() }),
		useful: flood.useful,
		firstText: () => firstText,
	};
}
