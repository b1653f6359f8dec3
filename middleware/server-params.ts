import type { Request } from "@middy/core";
import { McpStdioError } from "../src/errors.ts";
import { resolveParams, type StdioServerParams } from "../src/params.ts";
import { closeIdleServer } from "../src/server/registry.ts";
import type { McpLambdaContext } from "./context.ts";

/** Which server to run: params, or a function that makes them for an invocation. */
export type McpStdioServerParams =
	| StdioServerParams
	| ((request: Request<unknown, unknown, Error, McpLambdaContext>) => StdioServerParams | Promise<StdioServerParams>);

/** Where the params of an invocation come from. */
export type ParamsSource = {
	/** The server's name, as far as it is known before params are made. */
	readonly name: string;
	/** What is known in the INIT phase. */
	readonly known: StdioServerParams | undefined;
	/** Makes the params of an invocation; rejects with PARAMS_FAILED. */
	readonly make: (request: unknown) => StdioServerParams | Promise<StdioServerParams>;
};

/** How long a server whose params came from a function waits to be asked for again, once there is another. */
const idleBeforeCloseMs = 60_000;

/** A wrong value throws at once; what a function gives is checked when it gives it. */
export function paramsSource(params: McpStdioServerParams): ParamsSource {
	if (typeof params !== "function") {
		const { name } = resolveParams(params);
		return { name, known: params, make: () => params };
	}
	const usedAt = new Map<string, { readonly params: StdioServerParams; readonly at: number }>();
	return {
		name: "of a params function",
		known: undefined,
		async make(request) {
			const made = await makeParams(params, request);
			const now = performance.now();
			usedAt.set(JSON.stringify(made), { params: made, at: now });
			for (const [key, used] of usedAt) {
				if (now - used.at > idleBeforeCloseMs && closeIdleServer(used.params)) usedAt.delete(key);
			}
			return made;
		},
	};
}

async function makeParams(
	params: Extract<McpStdioServerParams, (...args: never) => unknown>,
	request: unknown,
): Promise<StdioServerParams> {
	try {
		const made = await params(request as Parameters<typeof params>[0]);
		resolveParams(made);
		return made;
	} catch (cause) {
		const what = "The params of the MCP server could not be made; the function's log has the cause";
		throw new McpStdioError("PARAMS_FAILED", what, { data: { phase: "params" }, cause });
	}
}
