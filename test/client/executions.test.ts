import { readFileSync } from "node:fs";
import type { LambdaClient, LambdaClientConfig } from "@aws-sdk/client-lambda";
import { describe, expect, test } from "vitest";
import type { Execution, LambdaTransportErrorCode } from "../../src/client/index.ts";
import {
	type Answer,
	clientOf,
	connect,
	functionError,
	halfResult,
	hang,
	payload,
	rejection,
	reset,
	result,
	serviceError,
	startLambdaApi,
	toolCall,
	toolsList,
} from "./lambda-api.ts";

type Row = {
	readonly name: string;
	readonly answer: Answer;
	readonly code: LambdaTransportErrorCode;
	readonly execution: Execution;
	/** What is sent again after it. */
	readonly retried: "anything" | "what is safe" | "nothing";
	readonly timeoutMs?: number;
};

const errorNamed = (name: string, status: number, code: LambdaTransportErrorCode, retried: Row["retried"]): Row => ({
	name: `${name} (${status})`,
	answer: serviceError(name, { status }),
	code,
	execution: "none",
	retried,
});

const notReady: readonly (readonly [string, number])[] = [
	["CodeArtifactUserPendingException", 409],
	["SnapStartNotReadyException", 409],
	["ResourceConflictException", 409],
	["SnapStartTimeoutException", 408],
	["EFSMountConnectivityException", 408],
	["EFSMountTimeoutException", 408],
	["S3FilesMountConnectivityException", 408],
	["S3FilesMountTimeoutException", 408],
	["ENINotReadyException", 502],
	["ENILimitReachedException", 502],
	["EC2ThrottledException", 502],
	["EC2UnexpectedException", 502],
	["ResourceNotReadyException", 502],
	["SubnetIPAddressLimitReachedException", 502],
];

const misconfigured: readonly (readonly [string, number])[] = [
	["EC2AccessDeniedException", 502],
	["InvalidSubnetIDException", 502],
	["InvalidSecurityGroupIDException", 502],
	["InvalidRuntimeException", 502],
	["InvalidZipFileException", 502],
	["KMSAccessDeniedException", 502],
	["KMSDisabledException", 502],
	["KMSInvalidStateException", 502],
	["KMSNotFoundException", 502],
	["CodeArtifactUserFailedException", 409],
	["CodeArtifactUserDeletedException", 409],
	["SnapStartException", 400],
	["SnapStartRegenerationFailureException", 409],
	["EFSIOException", 410],
	["EFSMountFailureException", 403],
	["S3FilesMountFailureException", 403],
	["NoPublishedVersionException", 400],
	["ServiceQuotaExceededException", 402],
];

const refused: readonly (readonly [string, number])[] = [
	["DurableExecutionAlreadyStartedException", 409],
	["InvalidParameterValueException", 400],
	["InvalidRequestContentException", 400],
	["ModeNotSupportedException", 400],
	["RecursiveInvocationException", 400],
	["UnsupportedMediaTypeException", 415],
	["ValidationException", 400],
	["SomethingNewException", 400],
];

const denied: readonly (readonly [string, number])[] = [
	["AccessDeniedException", 403],
	["UnrecognizedClientException", 403],
	["InvalidSignatureException", 403],
	["ExpiredTokenException", 403],
	["ExpiredToken", 403],
	["InvalidClientTokenId", 403],
	["SomethingNewException", 403],
];

const refusals: readonly Row[] = [
	errorNamed("TooManyRequestsException", 429, "THROTTLED", "anything"),
	errorNamed("ThrottlingException", 400, "THROTTLED", "anything"),
	errorNamed("SomethingNewException", 429, "THROTTLED", "anything"),
	...notReady.map(([name, status]) => errorNamed(name, status, "NOT_READY", "anything")),
	...misconfigured.map(([name, status]) => errorNamed(name, status, "FUNCTION_MISCONFIGURED", "nothing")),
	...refused.map(([name, status]) => errorNamed(name, status, "INVALID_REQUEST", "nothing")),
	...denied.map(([name, status]) => errorNamed(name, status, "ACCESS_DENIED", "nothing")),
	errorNamed("ResourceNotFoundException", 404, "NOT_FOUND", "nothing"),
	errorNamed("RequestTooLargeException", 413, "REQUEST_TOO_LARGE", "nothing"),
	errorNamed("SerializedRequestEntityTooLargeException", 413, "REQUEST_TOO_LARGE", "nothing"),
];

/** Of a proxy: it has never heard of Lambda. */
const page = (status: number, executes: boolean): Answer => ({
	executes,
	give: (response) => response.writeHead(status, { "Content-Type": "text/html" }).end(`<html>\n<h1>${status}</h1>`),
});

const strangers: readonly Row[] = [301, 403, 404, 407, 413].map((status) => ({
	name: `a page with HTTP ${status}`,
	answer: page(status, false),
	code: "INVALID_REQUEST",
	execution: "none",
	retried: "nothing",
}));

const ambiguous: readonly Row[] = [
	...[500, 502, 503, 504].map(
		(status): Row => ({
			name: `ServiceException (${status})`,
			answer: serviceError("ServiceException", { status, executes: true }),
			code: "SERVICE_ERROR",
			execution: "unknown",
			retried: "what is safe",
		}),
	),
	{
		name: "a page with HTTP 502",
		answer: page(502, true),
		code: "SERVICE_ERROR",
		execution: "unknown",
		retried: "what is safe",
	},
	{
		name: "a connection that is reset before the request is read",
		answer: reset("unread"),
		code: "NETWORK",
		execution: "unknown",
		retried: "what is safe",
	},
	{
		name: "a connection that is reset while the function works",
		answer: reset("executing"),
		code: "NETWORK",
		execution: "unknown",
		retried: "what is safe",
	},
	{
		name: "half a result",
		answer: halfResult,
		code: "NETWORK",
		execution: "unknown",
		retried: "what is safe",
	},
	{
		name: "silence",
		answer: hang,
		code: "TIMEOUT",
		execution: "unknown",
		retried: "what is safe",
		timeoutMs: 500,
	},
];

const failed = (name: string, code: LambdaTransportErrorCode, text: string, kind?: string): Row => ({
	name,
	answer: functionError(text, kind),
	code,
	execution: "ran",
	retried: "nothing",
});

const failures: readonly Row[] = [
	failed(
		"Sandbox.Timedout",
		"FUNCTION_TIMEOUT",
		'{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 8c2b Error: Task timed out after 3.00 seconds"}',
	),
	failed(
		"a timeout as older runtimes say it",
		"FUNCTION_TIMEOUT",
		'{"errorMessage":"2026-11-24T10:00:00.000Z 8c2b Task timed out after 3.00 seconds"}',
	),
	failed(
		"Runtime.ExitError",
		"FUNCTION_EXITED",
		'{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 8c2b Error: Runtime exited with error: exit status 1"}',
	),
	failed(
		"Runtime.NodejsExit",
		"FUNCTION_EXITED",
		'{"errorType":"Runtime.NodejsExit","errorMessage":"The Lambda runtime client detected an unexpected Node.js exit code","trace":[]}',
	),
	failed(
		"an exit as older runtimes say it",
		"FUNCTION_EXITED",
		'{"errorMessage":"RequestId: 8c2b Process exited before completing request"}',
	),
	failed(
		"Runtime.OutOfMemory",
		"FUNCTION_OUT_OF_MEMORY",
		'{"errorType":"Runtime.OutOfMemory","errorMessage":"RequestId: 8c2b Error: Runtime exited with error: signal: killed"}',
	),
	failed(
		"Runtime.ExitError of a killed process",
		"FUNCTION_OUT_OF_MEMORY",
		'{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 8c2b Error: Runtime exited with error: signal: killed"}',
	),
	failed(
		"Function.ResponseSizeTooLarge",
		"RESPONSE_TOO_LARGE",
		'{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}',
	),
	failed(
		"a handler that rejects",
		"FUNCTION_ERROR",
		'{"errorType":"TypeError","errorMessage":"Task timed out after 3.00 seconds","trace":["TypeError: no","    at handler (/var/task/index.mjs:1:1)"]}',
	),
	failed("a handled error", "FUNCTION_ERROR", '{"errorMessage":"no"}', "Handled"),
	failed("a function error without a payload", "FUNCTION_ERROR", ""),
	failed("a function error that is no object", "FUNCTION_ERROR", "null"),
];

const results: readonly Row[] = [
	["an empty result", ""],
	["null", "null"],
	["{}", "{}"],
	["text", "Internal error"],
	["a batch", "[]"],
	["a response to another request", '{"jsonrpc":"2.0","id":99,"result":{}}'],
	["a response with a result that is no object", '{"jsonrpc":"2.0","id":1,"result":1}'],
	["a response without a result", '{"jsonrpc":"2.0","id":1}'],
	["an HTTP response", '{"statusCode":200,"body":"{}"}'],
].map(([name = "", text = ""]) => ({
	name,
	answer: payload(text),
	code: "INVALID_RESPONSE",
	execution: "ran",
	retried: "nothing",
}));

const rows: readonly Row[] = [...refusals, ...strangers, ...ambiguous, ...failures, ...results];

const tools = { tools: [{ name: "pay", annotations: { readOnlyHint: false } }] };
const safeTools = (hint: string) => ({ tools: [{ name: "pay", annotations: { [hint]: true } }] });

const clients: readonly (readonly [string, LambdaClientConfig | undefined])[] = [
	["its own client", undefined],
	["a client of the user with five attempts", { maxAttempts: 5 }],
	["a client of the user in adaptive mode", { maxAttempts: 5, retryMode: "adaptive" }],
];

describe.each(clients)("with %s", (_, config) => {
	const start = async (answers: Answer[], parameters: Parameters<typeof connect>[1] = {}) => {
		const api = await startLambdaApi(...answers);
		const client = config && { client: clientOf(api, config) };
		return { api, ...connect(api, { ...client, ...parameters }) };
	};

	describe.each(rows)("$name", ({ answer, code, execution, retried, timeoutMs }) => {
		test("rejects a tool call that does not run twice", async () => {
			const { api, transport, errors } = await start([answer], { timeoutMs, retry: { maxAttempts: 3 } });
			const error = await rejection(transport.send(toolCall));
			const attempts = retried === "anything" ? 3 : 1;
			expect(error).toMatchObject({ code, execution, attempts, method: "tools/call", id: 1 });
			expect(api.calls).toHaveLength(attempts);
			expect(api.executions()).toBe(answer.executes ? 1 : 0);
			expect(errors).toStrictEqual([error]);
		});

		test(`${retried === "nothing" ? "is not" : "is"} overcome by a list`, async () => {
			const { api, transport, messages } = await start([answer, result(tools)], { timeoutMs });
			const sent = transport.send({ ...toolsList, id: 1 });
			if (retried === "nothing") {
				expect(await rejection(sent)).toMatchObject({ code, execution, attempts: 1 });
				expect(api.calls).toHaveLength(1);
			} else {
				await sent;
				expect(messages).toStrictEqual([{ jsonrpc: "2.0", id: 1, result: tools }]);
				expect(api.calls).toHaveLength(2);
			}
		});

		test.each(["readOnlyHint", "idempotentHint"])(
			`${retried === "nothing" ? "is not" : "is"} overcome by a tool with %s`,
			async (hint) => {
				const { api, transport, messages } = await start([result(safeTools(hint)), answer, result()], { timeoutMs });
				await transport.send(toolsList);
				const sent = transport.send(toolCall);
				if (retried === "nothing") expect(await rejection(sent)).toMatchObject({ code, attempts: 1 });
				else await sent;
				expect(api.calls).toHaveLength(retried === "nothing" ? 2 : 3);
				expect(messages).toHaveLength(retried === "nothing" ? 1 : 2);
			},
		);
	});
});

/** The errors that the AWS SDK documents of its commands that invoke. */
function documentedErrors(): string[] {
	const folder = new URL("../../node_modules/@aws-sdk/client-lambda/dist-types/commands/", import.meta.url);
	const sources = ["InvokeCommand.d.ts", "InvokeWithResponseStreamCommand.d.ts"].map((file) =>
		readFileSync(new URL(file, folder), "utf8"),
	);
	const names = sources.flatMap((source) =>
		Array.from(source.matchAll(/@throws \{@link (\w+)\}/g), ([, name]) => name),
	);
	return [...new Set(names)].filter((name) => name !== undefined && name !== "LambdaServiceException") as string[];
}

test("every error that the AWS SDK knows of an invocation has a row", () => {
	const documented = documentedErrors();
	expect(documented.length).toBeGreaterThan(35);
	expect(documented.filter((name) => !rows.some((row) => row.name.startsWith(`${name} (`)))).toStrictEqual([]);
});

test.each([403, 502])("a page with HTTP %i is said to be none of Lambda's, in one line", async (status) => {
	const api = await startLambdaApi(page(status, false));
	const { message } = await rejection(connect(api).transport.send(toolCall));
	expect(message).toContain(`what answered, with HTTP ${status}, is not Lambda; check the endpoint, and any proxy`);
	expect(message).toMatch(/<html>.* is not valid JSON\) \(AWS/);
});

test("what a function sends reaches no terminal as it is", async () => {
	const api = await startLambdaApi(payload("npm WARN\r\n\u001b[2Jcleared\u0000"));
	const { message } = await rejection(connect(api).transport.send(toolCall));
	expect(message).toContain("its result is not JSON: npm WARN [2Jcleared (AWS");
});

/** A client whose owner retries whatever fails. */
const insistent: NonNullable<LambdaClientConfig["retryStrategy"]> = {
	acquireInitialRetryToken: async () => ({ getRetryCount: () => 0, getRetryDelay: () => 0 }),
	refreshRetryTokenForRetry: async (token) => {
		if (token.getRetryCount() === 3) throw new Error("enough");
		return { getRetryCount: () => token.getRetryCount() + 1, getRetryDelay: () => 0 };
	},
	recordSuccess: () => {},
};

test.each([reset("executing"), serviceError("ServiceException", { status: 500, executes: true })])(
	"a client that retries everything sends a tool call once",
	async (answer) => {
		const api = await startLambdaApi(answer);
		const { transport } = connect(api, { client: clientOf(api, { retryStrategy: insistent }) });
		await rejection(transport.send(toolCall));
		expect(api.executions()).toBe(1);
		expect(api.calls).toHaveLength(1);
	},
);

describe("a function error", () => {
	const exited = failures.find(({ name }) => name === "Runtime.ExitError")?.answer as Answer;

	test("is overcome by a list when it is asked for", async () => {
		const api = await startLambdaApi(exited, result(tools));
		const { transport } = connect(api, { retry: { retryFunctionErrors: true } });
		await transport.send(toolsList);
		expect(api.executions()).toBe(2);
	});

	test("is not overcome by a tool call, also when it is asked for", async () => {
		const api = await startLambdaApi(exited, result());
		const { transport } = connect(api, { retry: { retryFunctionErrors: true } });
		expect(await rejection(transport.send(toolCall))).toMatchObject({ code: "FUNCTION_EXITED" });
		expect(api.executions()).toBe(1);
	});

	test("is overcome by a tool call that is said to be safe", async () => {
		const api = await startLambdaApi(exited, result());
		const isSafe = ({ params }: { params?: { name?: unknown } }) => params?.name === "pay";
		const { transport } = connect(api, { retry: { retryFunctionErrors: true, isSafe } });
		await transport.send(toolCall);
		expect(api.executions()).toBe(2);
	});
});

describe("what is safe", () => {
	const broken = serviceError("ServiceException", { status: 500, executes: true });

	test.each([
		"initialize",
		"ping",
		"completion/complete",
		"server/discover",
		"tools/list",
		"resources/list",
		"resources/templates/list",
		"resources/read",
		"prompts/list",
		"prompts/get",
		"tasks/get",
	])("is %s", async (method) => {
		const api = await startLambdaApi(broken, result());
		await connect(api).transport.send({ jsonrpc: "2.0", id: 1, method });
		expect(api.calls).toHaveLength(2);
	});

	test.each(["tools/call", "resources/subscribe", "logging/setLevel", "tasks/cancel", "listing", "vendor/forget"])(
		"is not %s",
		async (method) => {
			const api = await startLambdaApi(broken, result());
			await rejection(connect(api).transport.send({ jsonrpc: "2.0", id: 1, method }));
			expect(api.calls).toHaveLength(1);
		},
	);

	test.each(["notifications/initialized", "notifications/roots/list_changed", "notifications/progress"])(
		"is %s",
		async (method) => {
			const api = await startLambdaApi(broken, result());
			await connect(api).transport.send({ jsonrpc: "2.0", method });
			expect(api.calls).toHaveLength(2);
		},
	);

	test("is no notification of which nothing is known", async () => {
		const api = await startLambdaApi(broken, result());
		await rejection(connect(api).transport.send({ jsonrpc: "2.0", method: "notifications/vendor/paid" }));
		expect(api.calls).toHaveLength(1);
	});

	test("is not a tool of which a later list says otherwise", async () => {
		const api = await startLambdaApi(result(safeTools("readOnlyHint")), result(tools), broken);
		const { transport } = connect(api);
		await transport.send(toolsList);
		await transport.send(toolsList);
		await rejection(transport.send(toolCall));
		expect(api.calls).toHaveLength(3);
	});

	test("is a tool of an earlier page of the list", async () => {
		const api = await startLambdaApi(result(safeTools("readOnlyHint")), result({ tools: [] }), broken, result());
		const { transport } = connect(api);
		await transport.send(toolsList);
		await transport.send({ ...toolsList, params: { cursor: "2" } });
		await transport.send(toolCall);
		expect(api.calls).toHaveLength(4);
	});

	test("is for isSafe to say, before any other rule", async () => {
		const api = await startLambdaApi(broken);
		const { transport } = connect(api, { retry: { isSafe: () => false } });
		await rejection(transport.send(toolsList));
		expect(api.calls).toHaveLength(1);
	});

	test("is not what isSafe only promises", async () => {
		const api = await startLambdaApi(broken);
		const { transport } = connect(api, { retry: { isSafe: (async () => false) as never } });
		await rejection(transport.send(toolCall));
		expect(api.executions()).toBe(1);
	});
});

test("an earlier attempt that may have run is not forgotten when the last is refused", async () => {
	const broken = serviceError("ServiceException", { status: 500, executes: true });
	const api = await startLambdaApi(broken, serviceError("AccessDeniedException", { status: 403 }));
	const error = await rejection(connect(api).transport.send(toolsList));
	expect(error).toMatchObject({ code: "ACCESS_DENIED", execution: "unknown", attempts: 2 });
});

describe("when the clock is an hour slow", () => {
	const atItsTime = (answer: Answer): Answer => ({
		...answer,
		give: (response, call) => {
			response.setHeader("Date", new Date(Date.now() + 3_600_000).toUTCString());
			return answer.give(response, call);
		},
	});
	const signedAt = (value: unknown) =>
		Date.parse(String(value).replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5"));

	test("a tool call that is refused for its signature is sent again, with the right time", async () => {
		const refused = serviceError("InvalidSignatureException", { status: 403 });
		const api = await startLambdaApi(atItsTime(refused), result());
		await connect(api).transport.send(toolCall);
		const [first, second] = api.calls.map(({ headers }) => signedAt(headers["x-amz-date"]));
		expect(Number(second) - Number(first)).toBeGreaterThan(3_500_000);
		expect(api.executions()).toBe(1);
	});

	test("a tool call that may have run is not sent again", async () => {
		const broken = serviceError("ServiceException", { status: 500, executes: true });
		const api = await startLambdaApi(atItsTime(broken));
		expect(await rejection(connect(api).transport.send(toolCall))).toMatchObject({
			code: "SERVICE_ERROR",
			attempts: 1,
		});
		expect(api.executions()).toBe(1);
	});

	test("a function that is not there is not called again", async () => {
		const api = await startLambdaApi(atItsTime(serviceError("ResourceNotFoundException", { status: 404 })));
		expect(await rejection(connect(api).transport.send(toolCall))).toMatchObject({ code: "NOT_FOUND", attempts: 1 });
	});
});

describe("without a connection", () => {
	test.each([
		["refused", "http://127.0.0.1:1"],
		["without an address", "http://lambda.invalid"],
	])("%s, a tool call is sent again", async (_, endpoint) => {
		const { transport, errors } = connect({ endpoint }, { retry: { maxAttempts: 3 } });
		const error = await rejection(transport.send(toolCall));
		expect(error).toMatchObject({ code: "NETWORK", execution: "none", attempts: 3 });
		expect(error.cause).toBeInstanceOf(Error);
		expect(errors).toStrictEqual([error]);
	});

	test.each(["EHOSTUNREACH", "ENETUNREACH"])("%s says that it was not sent only while it is made", async (code) => {
		const fail = (syscall: string) => () =>
			Promise.reject(Object.assign(new Error(`${syscall} ${code}`), { code, syscall }));
		const failures = ["connect", "read"].map(async (syscall) => {
			const client = { send: fail(syscall) } as unknown as LambdaClient;
			const { transport } = connect({ endpoint: "" }, { client, retry: { maxAttempts: 2 } });
			return await rejection(transport.send(toolCall));
		});
		expect(await Promise.all(failures)).toMatchObject([
			{ code: "NETWORK", execution: "none", attempts: 2 },
			{ code: "NETWORK", execution: "unknown", attempts: 1 },
		]);
	});
});
