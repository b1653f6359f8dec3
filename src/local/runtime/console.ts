import { format } from "node:util";
import type { InvokeStore } from "./invoke-store.ts";

const levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] as const;

/** Makes the console write lines as Lambda's does: time, request id, level and message, with tabs in between. */
export function patchConsole(store: Pick<InvokeStore, "getRequestId">): void {
	const target = console as unknown as Record<string, (...args: unknown[]) => void>;
	for (const level of levels) {
		target[level.toLowerCase()] = (...args) => {
			const line = [new Date().toISOString(), store.getRequestId(), level, format(...args)].join("\t");
			// One entry of the log is one line.
			process.stdout.write(`${line.replaceAll("\n", "\r")}\n`);
		};
	}
	console.log = console.info;
}
