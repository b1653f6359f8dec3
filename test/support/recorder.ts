import type { Observer } from "../../src/index.ts";

type Kind = keyof Observer;
type EventOf<K extends Kind> = Parameters<NonNullable<Observer[K]>>[0];

/** What an observer was told, by kind and in order. */
type Recorded = { readonly [K in Kind]-?: EventOf<K>[] };

export type Recorder = Recorded & {
	readonly observer: Required<Observer>;
	/** The kinds of all events in the order they came. */
	readonly kinds: Kind[];
};

/** An observer that remembers everything. */
export function record(): Recorder {
	const kinds: Kind[] = [];
	const recorded: Recorded = {
		spawn: [],
		ready: [],
		request: [],
		answer: [],
		failure: [],
		stderr: [],
		noise: [],
		exit: [],
	};
	const recorderOf =
		<K extends Kind>(kind: K) =>
		(event: EventOf<K>): void => {
			kinds.push(kind);
			(recorded[kind] as EventOf<K>[]).push(event);
		};
	const observer: Required<Observer> = {
		spawn: recorderOf("spawn"),
		ready: recorderOf("ready"),
		request: recorderOf("request"),
		answer: recorderOf("answer"),
		failure: recorderOf("failure"),
		stderr: recorderOf("stderr"),
		noise: recorderOf("noise"),
		exit: recorderOf("exit"),
	};
	return { ...recorded, observer, kinds };
}

/** Says nothing: for tests in which failures are expected. */
export const silent: Observer = {};
