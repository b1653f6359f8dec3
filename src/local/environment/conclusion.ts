import type { RuntimeAnswer } from "./runtime-answer.ts";
import type { RuntimeEvent } from "./sandbox.ts";

/** How an invocation that the runtime has comes to its end. */
export type Conclusion =
	/** `exit` is known when the process has ended while its answer was on its way. */
	| {
			readonly kind: "answered";
			readonly answer: Exclude<RuntimeAnswer, { kind: "truncated" }>;
			readonly exit: RuntimeEvent | undefined;
	  }
	/** The handler broke off its stream, and the runtime lives on. */
	| { readonly kind: "brokenOff" }
	/** By what the runtime did, or because nothing happened in time. */
	| { readonly kind: "failed"; readonly cause: RuntimeEvent | undefined };

/** What is waited for: the answer; after the end of the process, what it had written before; after a broken stream, why. */
type Phase = "responding" | "draining" | "truncated";
type Step = Phase | Conclusion["kind"];
type Happening = RuntimeEvent["type"] | "truncation" | "nothing";

/** What follows when something happens in a phase; whatever is not in it is a failure. */
const steps: { readonly [phase in Phase]: { readonly [happening in Happening]?: Step } } = {
	responding: { answer: "answered", truncation: "truncated", exit: "draining" },
	draining: { answer: "answered" },
	truncated: { ready: "brokenOff" },
};

/** What is left of a stream gets to be read after the process that wrote it has ended. */
const streamEndGraceMs = 1000;

/**
 * @param take the next thing that the runtime does within so many ms
 * @param leftMs until the function's timeout
 * @param streams whether the function has begun to stream
 */
export async function conclude(
	take: (waitMs: number) => Promise<RuntimeEvent | undefined>,
	leftMs: () => number,
	streams: () => boolean,
): Promise<Conclusion> {
	let phase: Phase = "responding";
	let exit: RuntimeEvent | undefined;
	for (;;) {
		const graceMs = streams() ? streamEndGraceMs : 0;
		const event = await take(phase === "draining" ? graceMs : leftMs());
		const step: Step = steps[phase][happeningOf(event)] ?? "failed";
		if (event?.type === "exit") exit = event;
		if (step === "answered" && event?.type === "answer" && event.answer.kind !== "truncated") {
			return { kind: step, answer: event.answer, exit };
		}
		if (step === "brokenOff") return { kind: step };
		if (step === "failed" || step === "answered") return { kind: "failed", cause: exit ?? event };
		phase = step;
	}
}

function happeningOf(event: RuntimeEvent | undefined): Happening {
	if (event === undefined) return "nothing";
	return event.type === "answer" && event.answer.kind === "truncated" ? "truncation" : event.type;
}
