import { type Interruption, untilInterrupted } from "../deadline.ts";
import { detailsOf, McpStdioError } from "../errors.ts";

/** Keeps a server that dies at start from being started without pause. */
export type Breaker = {
	/**
	 * Runs `start` after a short pause, or throws CRASH_LOOP while a long one lasts. After a long pause one start is let
	 * through to try; whoever comes meanwhile waits for what becomes of it.
	 */
	readonly admit: <T>(
		signal: AbortSignal,
		toError: (interruption: Interruption) => Error,
		start: () => T,
	) => Promise<T>;
	/** Whether a start that nobody waits for should be left undone for now. */
	readonly isPausing: () => boolean;
	/** Must be given every start: what became of it, with the failure where the server died. Never rejects. */
	readonly watch: (outcome: Promise<"ready" | "unknown" | McpStdioError>) => void;
};

/** Deaths at start in a row before callers are turned away instead of waiting. */
const failuresBeforeLoop = 3;
const firstPauseMs = 100;
const longestPauseMs = 10_000;

export function createBreaker(server: string): Breaker {
	let failures = 0;
	let pausedUntil = 0;
	let lastFailure: McpStdioError | undefined;
	let lastFailureAt = Number.NEGATIVE_INFINITY;
	let trial: Promise<unknown> | undefined;

	const pauseMs = (): number => Math.max(0, pausedUntil - performance.now());

	function crashLoop(): McpStdioError {
		const retryAfterMs = Math.ceil(pauseMs());
		const { exitCode, signal } = lastFailure?.data ?? {};
		const how =
			exitCode === undefined && signal === undefined
				? ""
				: ` (${signal ? `killed by ${signal}` : `exit code ${exitCode}`})`;
		return new McpStdioError(
			"CRASH_LOOP",
			`MCP server ${server} failed ${failures} times in a row at start${how}; it is tried again in ${retryAfterMs} ms. Mend its command, environment or package`,
			{
				data: { phase: "initialize", exitCode, signal, retryAfterMs },
				stderr: lastFailure?.stderr,
				details: lastFailure && detailsOf(lastFailure),
				cause: lastFailure,
			},
		);
	}

	return {
		async admit(signal, toError, start) {
			while (failures > 0) {
				if (failures >= failuresBeforeLoop) {
					if (pauseMs() > 0) throw crashLoop();
					if (!trial) break;
					await untilInterrupted(trial, signal, toError);
				} else {
					const left = Math.ceil(pauseMs());
					if (left === 0) break;
					let timer: NodeJS.Timeout | undefined;
					const pause = new Promise<void>((resolve) => {
						timer = setTimeout(resolve, left);
					});
					await untilInterrupted(pause, signal, toError).finally(() => clearTimeout(timer));
				}
			}
			// In the same turn as the decision, so that it is watched before anybody else decides.
			return start();
		},
		isPausing: () => pauseMs() > 0,
		watch(outcome) {
			const startedAt = performance.now();
			const settled = outcome.then((result) => {
				if (trial === settled) trial = undefined;
				if (result === "ready") {
					failures = 0;
					pausedUntil = 0;
				} else if (result !== "unknown") {
					lastFailure = result;
					// Starts that ran side by side failed for one reason: they count once.
					if (startedAt < lastFailureAt) return;
					lastFailureAt = performance.now();
					failures += 1;
					pausedUntil = lastFailureAt + Math.min(firstPauseMs * 2 ** (failures - 1), longestPauseMs);
				}
			});
			trial ??= settled;
		},
	};
}
