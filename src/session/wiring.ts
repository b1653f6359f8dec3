import { startAwakeTimer } from "../child/awake-timer.ts";
import type { ServerProcess, ServerProcessHandlers } from "../child/process.ts";
import type { McpStdioError } from "../errors.ts";
import type { ExitReason } from "../observer.ts";
import type { ResolvedServerParams } from "../params.ts";
import type { Conversation, ConversationOptions } from "./conversation.ts";
import type { SessionEvents } from "./events.ts";
import type { SessionFailures } from "./failures.ts";
import type { Liveness } from "./liveness.ts";
import { answerServerRequest } from "./server-requests.ts";

/** The parts of one session. Child, conversation and liveness know each other: each is asked for when something happens. */
export type SessionParts = {
	readonly params: ResolvedServerParams;
	readonly events: SessionEvents;
	readonly failures: SessionFailures;
	readonly conversation: () => Conversation;
	readonly liveness: () => Liveness;
	/** A message, or what should have been one, was read. */
	readonly heard: () => void;
	readonly isOpen: () => boolean;
	/** Whether the process lives on when a request is given up. */
	readonly outlivesRequests: () => boolean;
	readonly end: (reason: ExitReason, urgent: boolean, error?: McpStdioError) => void;
};

/** How long the exit of a server that no longer reads is waited for. */
const brokenPipeGraceMs = 150;

/** What is done about what a child writes, and about its end. */
export function childHandlers(parts: SessionParts): ServerProcessHandlers {
	const { events, failures, conversation, heard, end } = parts;
	return {
		onMessage(message) {
			heard();
			conversation().receive(message);
		},
		onNoise(...noise) {
			heard();
			events.noise(...noise);
		},
		onUnreadable(id, text) {
			heard();
			conversation().receiveUnreadable(id, text);
		},
		onOverlong(id, ended, text) {
			heard();
			conversation().receiveOverlong(id, ended, text);
			// Nothing can be heard from a server whose line never ends.
			if (!ended && parts.outlivesRequests()) parts.liveness().doubt();
		},
		onStderrLine: events.stderr,
		onOutputClosed() {
			end("output-closed", true, failures.of("SERVER_EXITED", "closed its output (stdout) but keeps running"));
		},
		onExit(exit) {
			events.exited(exit);
			if (parts.isOpen()) end(exit.reason, false, failures.byExit(exit));
		},
	};
}

/** What is done about what happens in a conversation with a child. */
export function conversationOptions(
	parts: SessionParts,
	{ writer }: Pick<ServerProcess, "writer">,
): ConversationOptions {
	const { params, events, failures, conversation, liveness, end } = parts;
	return {
		writer,
		maxMessageBytes: params.maxMessageBytes,
		failure: (code, what, details) => failures.of(code, what, {}, details),
		onNoise: events.noise,
		onUseful(kind) {
			events.useful();
			if (kind === "answer") liveness().answered();
		},
		onServerRequest: answerServerRequest,
		onInterrupted(requestId, sent) {
			if (!parts.outlivesRequests()) return;
			const reason = "The caller stopped waiting";
			if (sent) conversation().notify("notifications/cancelled", { requestId, reason });
			liveness().doubt();
		},
		onBrokenPipe() {
			// If it died, its exit code comes soon and says more than a broken pipe.
			startAwakeTimer(brokenPipeGraceMs, () => {
				const what = "closed its input (stdin) before the request was sent";
				end("output-closed", true, failures.of("SERVER_EXITED", what));
			});
		},
		onUnusable: (error) => end("closed", true, error),
	};
}
