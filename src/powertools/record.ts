import type { McpStdioError } from "../errors.ts";
import { isObject, type JsonRpcRequest, type JsonRpcResponse, type RequestId } from "../jsonrpc.ts";
import type { Observer, SessionSource } from "../observer.ts";

/** The invocation of the function that a request came with. */
export type Invocation = {
	/** Lambda's own id of it. */
	readonly awsRequestId: string | undefined;
	/** Whether it is the first of its environment; `undefined` where that cannot be told. */
	readonly coldStart: boolean | undefined;
};

/** The tool, prompt or resource that a request is about. */
export type RequestTarget = { readonly kind: "tool" | "prompt" | "resource"; readonly name: string };

/** What is known about one request, from its start to its end. */
export type RequestRecord = {
	readonly invocation: Invocation;
	readonly requestId: RequestId | null;
	readonly method: string | undefined;
	readonly target: RequestTarget | undefined;
	readonly startedAt: number;
	/** Whether the handler answered it, so that no server was involved. */
	readonly answeredByHandler: boolean;
	server: string | undefined;
	pid: number | undefined;
	source: SessionSource | undefined;
	/** Whether its process was started for it. */
	started: boolean;
	waitedMs: number | undefined;
	failure: McpStdioError | undefined;
};

/**
 * How a request ended: with a result, with a result that says that the tool failed, with an error that the server (or the
 * handler) answered, or with a failure of the bridge.
 */
export type Outcome = "result" | "tool_error" | "error" | "failure";

/** Tells one of the Powertools about requests. None of its members may be given arguments or results to write down. */
export type Reporter = {
	/** Hears what the core tells; `correlation` is the request's record. */
	readonly observer: Observer;
	/** An event was read, before anything could fail. */
	readonly receive?: (requests: number, notifications: number) => void;
	/** A request is about to be forwarded; gives the request that is forwarded. */
	readonly begin?: (record: RequestRecord, request: JsonRpcRequest) => JsonRpcRequest;
	readonly end?: (record: RequestRecord, outcome: Outcome, errorCode: number | undefined) => void;
};

export function outcomeOf(record: RequestRecord, response: JsonRpcResponse): Outcome {
	if (record.failure) return "failure";
	if ("error" in response) return "error";
	return isObject(response.result) && response.result.isError === true ? "tool_error" : "result";
}

const longestName = 200;

/** What a request is about; never more of its params than the name that its server knows the thing by. */
export function targetOf({ method, params }: JsonRpcRequest): RequestTarget | undefined {
	const target = (kind: RequestTarget["kind"], name: unknown): RequestTarget | undefined =>
		typeof name === "string" ? { kind, name: name.slice(0, longestName) } : undefined;
	switch (method) {
		case "tools/call":
			return target("tool", params?.name);
		case "prompts/get":
			return target("prompt", params?.name);
		case "resources/read":
		case "resources/subscribe":
		case "resources/unsubscribe":
			return target("resource", withoutSecrets(params?.uri));
		default:
			return undefined;
	}
}

/** A URI without what may hold a secret: user and password, query and fragment. */
function withoutSecrets(uri: unknown): unknown {
	return typeof uri === "string" ? uri.replace(/[?#].*$/s, "").replace(/^([\w+.-]+:\/\/)[^/]*@/, "$1") : uri;
}

export function isRecord(correlation: unknown): correlation is RequestRecord {
	return isObject(correlation) && "answeredByHandler" in correlation;
}

/** Writes down in a request's record what the core tells about it. */
export const recorder: Observer = {
	spawn({ correlation }) {
		if (isRecord(correlation)) correlation.started = true;
	},
	request({ correlation, server, pid, source, waitedMs }) {
		if (isRecord(correlation)) Object.assign(correlation, { server, pid, source, waitedMs });
	},
	failure({ correlation, server, error }) {
		if (isRecord(correlation)) Object.assign(correlation, { server, failure: error });
	},
};
