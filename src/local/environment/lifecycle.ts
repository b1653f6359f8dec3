import type { EnvironmentState } from "../event.ts";

/** The state of one environment, which changes only as Lambda's do. */
export type Lifecycle = {
	readonly state: () => EnvironmentState;
	/** Throws for a state that cannot follow the one that it is in. */
	readonly enter: (next: EnvironmentState) => void;
};

/** What may follow a state. An environment without a process is brought to "reset" from everywhere, any number of times. */
const followers: { readonly [state in EnvironmentState]: readonly EnvironmentState[] } = {
	reset: ["init", "reset"],
	init: ["busy", "reset"],
	busy: ["idle", "reset"],
	idle: ["busy", "reset"],
};

export function createLifecycle(onChange: (from: EnvironmentState, to: EnvironmentState) => void): Lifecycle {
	let state: EnvironmentState = "reset";
	return {
		state: () => state,
		enter(next) {
			if (!followers[state].includes(next)) throw new Error(`An environment cannot go from ${state} to ${next}`);
			const from = state;
			state = next;
			if (from !== next) onChange(from, next);
		},
	};
}
