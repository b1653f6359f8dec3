import { describe, expectTypeOf, test } from "vitest";
import {
	closeStdioServers,
	type DeadlineSource,
	fromHostConfig,
	type HostConfigOptions,
	type JsonRpcErrorResponse,
	type JsonRpcNotification,
	type JsonRpcResponse,
	type Lifetime,
	type LifetimeOptions,
	type McpStdioError,
	type McpStdioErrorCode,
	type NpmServerOptions,
	npmServer,
	type Observer,
	type PythonServerOptions,
	prewarmStdioServer,
	pythonServer,
	type RequestId,
	runStdioRequest,
	type StdioRequestOptions,
	type StdioServerParams,
} from "../src/index.ts";

type Same<A, B> = (<V>() => V extends A ? 1 : 2) extends <V>() => V extends B ? 1 : 2 ? true : false;
type IsReadonly<T> = Same<{ [K in keyof T]: T[K] }, { readonly [K in keyof T]: T[K] }>;
type OptionalKeys<T> = { [K in keyof T]-?: Record<never, never> extends Pick<T, K> ? K : never }[keyof T];

const params: StdioServerParams = { command: "node" };
const request = { jsonrpc: "2.0", id: 1, method: "tools/list" } as const;

describe("runStdioRequest", () => {
	test("takes params, anything for a request, and options", () => {
		expectTypeOf(runStdioRequest).parameters.toEqualTypeOf<
			[params: StdioServerParams, request: unknown, options?: StdioRequestOptions | undefined]
		>();
	});

	test("resolves to one response, or to undefined for a notification", () => {
		expectTypeOf(runStdioRequest).returns.resolves.toEqualTypeOf<JsonRpcResponse | undefined>();
		expectTypeOf<JsonRpcResponse>().toHaveProperty("id").toEqualTypeOf<RequestId | null>();
	});

	test("tells a result from an error by their members", () => {
		const response = {} as JsonRpcResponse;
		if ("error" in response) {
			expectTypeOf(response).toEqualTypeOf<JsonRpcErrorResponse>();
			expectTypeOf(response.error.code).toEqualTypeOf<number>();
			expectTypeOf(response.error.data).toEqualTypeOf<unknown>();
		} else {
			expectTypeOf(response.result).toEqualTypeOf<Record<string, unknown>>();
			expectTypeOf(response.id).toEqualTypeOf<RequestId>();
		}
	});

	test("refuses params and options that are wrong", () => {
		// @ts-expect-error: the command is missing
		void (() => runStdioRequest({}, request));
		// @ts-expect-error: a shell's command line is no list of arguments
		void (() => runStdioRequest({ command: "node", args: "server.js" }, request));
		// @ts-expect-error: environment variables are strings
		void (() => runStdioRequest({ command: "node", env: { PORT: 80 } }, request));
		// @ts-expect-error: a misspelt param
		void (() => runStdioRequest({ command: "node", arg: [] }, request));
		// @ts-expect-error: a remote server is none that can be started
		void (() => runStdioRequest({ command: "node", type: "http" }, request));
		// @ts-expect-error: a misspelt option
		void (() => runStdioRequest(params, request, { timeout: 1 }));
		// @ts-expect-error: there are two lifetimes
		void (() => runStdioRequest(params, request, { lifetime: "process" }));
	});
});

describe("params", () => {
	test("take an entry of a desktop host's configuration, pasted", () => {
		const mcpServers = {
			filesystem: { command: "npx", args: ["-y", "@modelcontextprotocol/server-filesystem", "/data"] },
			weather: { command: "python", args: ["server.py"], env: { API_KEY: "value" } },
		};
		expectTypeOf(mcpServers.filesystem).toExtend<StdioServerParams>();
		expectTypeOf(mcpServers.weather).toExtend<StdioServerParams>();
		void (() => runStdioRequest({ type: "stdio", ...mcpServers.weather }, request));
	});

	test("take readonly lists and records", () => {
		const entry = { command: "node", args: ["server.js"], env: { A: "1" }, inheritEnv: ["PROXY"] } as const;
		expectTypeOf(entry).toExtend<StdioServerParams>();
	});

	test("need only a command", () => {
		expectTypeOf<OptionalKeys<StdioServerParams>>().toEqualTypeOf<Exclude<keyof StdioServerParams, "command">>();
	});
});

describe("options", () => {
	test("are all optional, and may be undefined", () => {
		expectTypeOf<Record<never, never>>().toExtend<StdioRequestOptions>();
		expectTypeOf<{ [K in keyof StdioRequestOptions]-?: undefined }>().toExtend<StdioRequestOptions>();
		expectTypeOf<
			{ [K in Exclude<keyof StdioServerParams, "command">]-?: undefined } & { command: string }
		>().toExtend<StdioServerParams>();
	});

	test("are all readonly", () => {
		expectTypeOf<IsReadonly<{ readonly a: 1; b: 1 }>>().toEqualTypeOf<false>();
		expectTypeOf<IsReadonly<{ readonly a: 1; readonly b: 1 }>>().toEqualTypeOf<true>();
		expectTypeOf<IsReadonly<StdioRequestOptions>>().toEqualTypeOf<true>();
		expectTypeOf<IsReadonly<LifetimeOptions>>().toEqualTypeOf<true>();
		expectTypeOf<IsReadonly<StdioServerParams>>().toEqualTypeOf<true>();
		expectTypeOf<IsReadonly<Observer>>().toEqualTypeOf<true>();
	});

	test("name the two lifetimes", () => {
		expectTypeOf<Lifetime>().toEqualTypeOf<"request" | "environment">();
		expectTypeOf<StdioRequestOptions["lifetime"]>().toEqualTypeOf<Lifetime | undefined>();
	});

	test("take a Lambda context, one that is wrapped, or an epoch for a deadline", () => {
		type Context = { readonly awsRequestId: string; getRemainingTimeInMillis(): number };
		expectTypeOf<Context>().toExtend<DeadlineSource>();
		expectTypeOf<{ readonly lambdaContext: Context }>().toExtend<DeadlineSource>();
		expectTypeOf<number>().toExtend<DeadlineSource>();
		expectTypeOf<Date>().not.toExtend<DeadlineSource>();
	});

	test("give notifications to a function", () => {
		expectTypeOf<NonNullable<StdioRequestOptions["onNotification"]>>().toEqualTypeOf<
			(notification: JsonRpcNotification) => void
		>();
	});
});

describe("the other functions", () => {
	test("prewarmStdioServer takes what concerns processes, and resolves to what went wrong", () => {
		expectTypeOf(prewarmStdioServer).parameters.toEqualTypeOf<
			[params: StdioServerParams, options?: LifetimeOptions | undefined]
		>();
		expectTypeOf(prewarmStdioServer).returns.resolves.toEqualTypeOf<McpStdioError | undefined>();
		// @ts-expect-error: a request's option
		void (() => prewarmStdioServer(params, { timeoutMs: 1 }));
	});

	test("closeStdioServers takes one server's params or none", () => {
		expectTypeOf(closeStdioServers).parameters.toEqualTypeOf<[params?: StdioServerParams | undefined]>();
		expectTypeOf(closeStdioServers).returns.resolves.toEqualTypeOf<void>();
	});
});

describe("the functions that find a server's command", () => {
	test("return params", () => {
		expectTypeOf(npmServer).returns.toEqualTypeOf<StdioServerParams>();
		expectTypeOf(pythonServer).returns.toEqualTypeOf<StdioServerParams>();
		expectTypeOf(fromHostConfig).returns.toEqualTypeOf<StdioServerParams>();
	});

	test("have options that are readonly, optional and may be undefined", () => {
		expectTypeOf<IsReadonly<NpmServerOptions & PythonServerOptions & HostConfigOptions>>().toEqualTypeOf<true>();
		expectTypeOf<{ [K in keyof NpmServerOptions]-?: undefined }>().toExtend<NpmServerOptions>();
		expectTypeOf<{ [K in keyof PythonServerOptions]-?: undefined }>().toExtend<PythonServerOptions>();
		expectTypeOf<{ [K in keyof HostConfigOptions]-?: undefined }>().toExtend<HostConfigOptions>();
	});

	test("refuse what is wrong", () => {
		// @ts-expect-error: arguments are a list
		void (() => npmServer("package", "--flag"));
		// @ts-expect-error: the command is what is found
		void (() => npmServer("package", [], { command: "node" }));
		// @ts-expect-error: a misspelt option
		void (() => pythonServer("module", [], { interpreter: "python3" }));
		// @ts-expect-error: the name of the server is missing
		void (() => fromHostConfig({ mcpServers: {} }));
	});
});

test("McpStdioError is an Error with a code to match on", () => {
	expectTypeOf<McpStdioError>().toExtend<Error>();
	expectTypeOf<McpStdioError["code"]>().toEqualTypeOf<McpStdioErrorCode>();
	expectTypeOf<"CRASH_LOOP">().toExtend<McpStdioErrorCode>();
	expectTypeOf<McpStdioError["toResponse"]>().returns.toEqualTypeOf<JsonRpcErrorResponse>();
	expectTypeOf<RequestId>().toEqualTypeOf<string | number>();
});

test("an observer may listen to as little as it likes", () => {
	expectTypeOf<Record<never, never>>().toExtend<Observer>();
	expectTypeOf<OptionalKeys<Observer>>().toEqualTypeOf<keyof Observer>();
});
