import { expect, test } from "vitest";
import { conclude } from "../../../src/local/environment/conclusion.ts";
import type { RuntimeEvent } from "../../../src/local/environment/sandbox.ts";

const answer = { kind: "response", payload: Buffer.from("1") } as const;
const answers: RuntimeEvent = { type: "answer", answer };
const truncation: RuntimeEvent = { type: "answer", answer: { kind: "truncated" } };
const exit: RuntimeEvent = { type: "exit", exit: { code: 1, signal: null } };
const ready: RuntimeEvent = { type: "ready" };
const nothing = undefined;

/** What the runtime does, one after the other, and how long each was waited for. */
async function concludes(events: readonly (RuntimeEvent | undefined)[], streams: boolean) {
	const left = [...events];
	const waits: number[] = [];
	const take = async (waitMs: number) => {
		waits.push(waitMs);
		return left.shift();
	};
	const conclusion = await conclude(
		take,
		() => 5000,
		() => streams,
	);
	expect(left).toEqual([]);
	return { conclusion, waits };
}

test.each([
	["an answer", [answers], false, { kind: "answered", answer, exit: undefined }, [5000]],
	["no answer in time", [nothing], false, { kind: "failed", cause: undefined }, [5000]],
	["an exit without an answer", [exit, nothing], false, { kind: "failed", cause: exit }, [5000, 0]],
	["an exit just behind its answer", [exit, answers], false, { kind: "answered", answer, exit }, [5000, 0]],
	["an exit amid a stream that was whole", [exit, answers], true, { kind: "answered", answer, exit }, [5000, 1000]],
	["an exit amid a stream", [exit, truncation], true, { kind: "failed", cause: exit }, [5000, 1000]],
	[
		"an exit amid a stream of which nothing comes",
		[exit, nothing],
		true,
		{ kind: "failed", cause: exit },
		[5000, 1000],
	],
	["a stream that the handler destroyed", [truncation, ready], true, { kind: "brokenOff" }, [5000, 5000]],
	["a stream that broke by an exit", [truncation, exit], true, { kind: "failed", cause: exit }, [5000, 5000]],
	["a stream that broke, and silence", [truncation, nothing], true, { kind: "failed", cause: undefined }, [5000, 5000]],
] as const)("%s", async (_, events, streams, conclusion, waits) => {
	expect(await concludes(events, streams)).toEqual({ conclusion, waits });
});
