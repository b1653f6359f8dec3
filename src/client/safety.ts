import { isObject, type JsonRpcNotification, type JsonRpcRequest } from "../jsonrpc.ts";

/** Which messages may be executed twice, by their method and by what the server has said of its tools. */
export type Safety = {
	/** Whether executing the message twice does no harm. */
	isSafe(message: JsonRpcRequest | JsonRpcNotification): boolean;
	/** Reads the annotations of the tools in the result of a `tools/list` request. */
	learn(request: JsonRpcRequest, result: unknown): void;
};

const safeMethods: ReadonlySet<string> = new Set([
	"initialize",
	"ping",
	"completion/complete",
	"server/discover",
	// Notifications that say how things are.
	"notifications/initialized",
	"notifications/roots/list_changed",
	"notifications/progress",
]);

/** `tools/list`, `resources/templates/list`, `tasks/get`: what lists, reads and gets changes nothing. */
const readingMethod = /\/(list|get|read)$/;

/**
 * A tool is safe to call again when the server's last `tools/list` said that it only reads, or that calling it again with
 * the same arguments changes nothing more; before that, none is.
 *
 * https://modelcontextprotocol.io/specification/2025-11-25/schema#toolannotations
 */
export function createSafety(): Safety {
	const safeTools = new Set<string>();
	return {
		isSafe: ({ method, params }) => {
			if (method === "tools/call") return typeof params?.name === "string" && safeTools.has(params.name);
			return safeMethods.has(method) || readingMethod.test(method);
		},
		learn: ({ method, params }, result) => {
			if (method !== "tools/list" || !isObject(result) || !Array.isArray(result.tools)) return;
			if (params?.cursor === undefined) safeTools.clear();
			for (const tool of result.tools) {
				if (!isObject(tool) || typeof tool.name !== "string") continue;
				const annotations = isObject(tool.annotations) ? tool.annotations : {};
				const isSafe = annotations.readOnlyHint === true || annotations.idempotentHint === true;
				if (isSafe) safeTools.add(tool.name);
				else safeTools.delete(tool.name);
			}
		},
	};
}
