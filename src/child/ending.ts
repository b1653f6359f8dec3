import type { Writable } from "node:stream";
import type { ExitReason } from "../observer.ts";
import { startAwakeTimer } from "./awake-timer.ts";

/** How a child is brought to its end: its stdin is closed, SIGTERM follows after a grace and SIGKILL after another. */
export type Ending = {
	/** `urgent` skips the first grace and shortens the second. The first reason counts; a later call can only hurry. */
	readonly begin: (reason: ExitReason, urgent?: boolean) => void;
	/** Why it was begun; `undefined` when the child ends by itself. */
	readonly reason: () => ExitReason | undefined;
	/** The child has exited: nothing is sent any more. */
	readonly over: () => void;
};

/** How long a child may take to end by itself, first after its stdin is closed and then after SIGTERM. */
const graceMs = 1000;
const urgentGraceMs = 150;

export function createEnding(stdin: Writable, signal: (name: "SIGTERM" | "SIGKILL") => void): Ending {
	let reason: ExitReason | undefined;
	let urgent = false;
	let isOver = false;
	let cancelGrace = (): void => {};

	function after(ms: number, step: () => void): void {
		cancelGrace();
		cancelGrace = startAwakeTimer(ms, step);
	}

	function kill(): void {
		if (!isOver) signal("SIGKILL");
	}

	function terminate(): void {
		if (isOver) return;
		signal("SIGTERM");
		after(urgent ? urgentGraceMs : graceMs, kill);
	}

	return {
		begin(why, hurry = false) {
			if (reason === undefined) {
				reason = why;
				stdin.end();
				if (!hurry && !isOver) after(graceMs, terminate);
			}
			if (hurry && !urgent) {
				urgent = true;
				terminate();
			}
		},
		reason: () => reason,
		over() {
			isOver = true;
			cancelGrace();
		},
	};
}
