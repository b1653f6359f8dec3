import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LambdaFunctionParameters as ReferenceParameters } from "@aws/run-mcp-servers-with-aws-lambda";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type LambdaFunctionParameters, LambdaFunctionClientTransport as Transport } from "../../src/client/index.ts";
import { resolveParameters } from "../../src/client/parameters.ts";
import { resolveRetryOptions } from "../../src/client/retry.ts";
import { acceptedNames, documentedDefaults } from "../support/documentation.ts";
import {
	chunk,
	clientOf,
	complete,
	connect,
	credentials,
	type LambdaApi,
	rejection,
	result,
	startLambdaApi,
	stream,
	toolCall,
} from "./lambda-api.ts";

beforeEach(() => {
	for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) vi.stubEnv(name, undefined);
	vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
	vi.stubEnv("AWS_CONFIG_FILE", "/nowhere/config");
	vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials");
});

afterEach(() => {
	vi.unstubAllEnvs();
});

const environment = (variables: Record<string, string>) => {
	for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
};

/** What the last call was signed with: the key, the region and the service. */
const signedWith = (api: LambdaApi) =>
	/Credential=([^/]+)\/\d+\/([^/]+)\/([^/]+)\//.exec(api.calls.at(-1)?.headers.authorization ?? "")?.slice(1);

/** Sends one message with nothing but these parameters. */
async function sendWith(parameters: LambdaFunctionParameters): Promise<void> {
	const transport = new Transport(parameters);
	await transport.send(toolCall).finally(() => transport.close());
}

describe("a call has", () => {
	test("the function, the kind and the message", async () => {
		const api = await startLambdaApi(result());
		await connect(api).transport.send(toolCall);
		expect(api.calls).toMatchObject([
			{
				path: "/2015-03-31/functions/everything/invocations",
				message: toolCall,
				headers: { "x-amz-invocation-type": "RequestResponse" },
			},
		]);
		expect([...(api.calls[0]?.query ?? [])]).toStrictEqual([]);
		expect(api.calls[0]?.headers["user-agent"]).toContain("mcp-stdio-lambda");
		expect(api.calls[0]?.headers).not.toHaveProperty("x-amz-tenant-id");
		expect(api.calls[0]?.headers).not.toHaveProperty("x-amz-client-context");
	});

	test.each([false, true])("the qualifier, the tenant and the client context, streaming: %s", async (streaming) => {
		const response = '{"jsonrpc":"2.0","id":1,"result":{}}';
		const api = await startLambdaApi(streaming ? stream([chunk(response), complete()]) : result());
		const clientContext = { custom: { user: "žofie" } };
		await connect(api, { streaming, qualifier: "live", tenantId: "tenant-1", clientContext }).transport.send(toolCall);
		expect(api.calls[0]?.query.get("Qualifier")).toBe("live");
		expect(api.calls[0]?.headers["x-amz-tenant-id"]).toBe("tenant-1");
		const context = Buffer.from(api.calls[0]?.headers["x-amz-client-context"] as string, "base64").toString();
		expect(JSON.parse(context)).toStrictEqual(clientContext);
	});

	test.each(["123456789012:function:everything:live", "arn:aws:lambda:eu-north-1:123456789012:function:everything"])(
		"the name %s in its path",
		async (functionName) => {
			const api = await startLambdaApi(result());
			await connect(api, { functionName }).transport.send(toolCall);
			expect(decodeURIComponent(api.calls[0]?.path ?? "")).toBe(`/2015-03-31/functions/${functionName}/invocations`);
		},
	);
});

describe("the region is", () => {
	test.each<[string, Partial<LambdaFunctionParameters>, Record<string, string>, string]>([
		["what regionName says", { regionName: "eu-west-3" }, { AWS_REGION: "us-west-2" }, "eu-west-3"],
		[
			"that of the ARN",
			{ functionName: "arn:aws:lambda:eu-north-1:123456789012:function:everything" },
			{ AWS_REGION: "us-west-2" },
			"eu-north-1",
		],
		[
			"that of the ARN in another partition",
			{ functionName: "arn:aws-cn:lambda:cn-north-1:123456789012:function:everything" },
			{},
			"cn-north-1",
		],
		["that of AWS_REGION", {}, { AWS_REGION: "us-west-2" }, "us-west-2"],
		[
			"that of AWS_REGION for a partial ARN",
			{ functionName: "123456789012:function:everything" },
			{ AWS_REGION: "us-west-2" },
			"us-west-2",
		],
	])("%s", async (_, parameters, variables, region) => {
		const api = await startLambdaApi(result());
		environment(variables);
		await sendWith({ functionName: "everything", endpoint: api.endpoint, credentials, ...parameters });
		expect(signedWith(api)).toStrictEqual(["AKIDEXAMPLE", region, "lambda"]);
	});

	test("asked for when there is none", async () => {
		const error = await rejection(sendWith({ functionName: "everything", credentials }));
		expect(error).toMatchObject({ code: "CLIENT_MISCONFIGURED", execution: "none", attempts: 1 });
		expect(error.message).toContain("no region was found; give regionName, or set AWS_REGION");
	});
});

describe("credentials and endpoint come from", () => {
	test("environment variables", async () => {
		const api = await startLambdaApi(result());
		environment({
			AWS_REGION: "us-west-2",
			AWS_ENDPOINT_URL_LAMBDA: api.endpoint,
			AWS_ACCESS_KEY_ID: "AKIDENV",
			AWS_SECRET_ACCESS_KEY: "secret",
			AWS_SESSION_TOKEN: "token",
		});
		await sendWith({ functionName: "everything" });
		expect(signedWith(api)).toStrictEqual(["AKIDENV", "us-west-2", "lambda"]);
		expect(api.calls[0]?.headers["x-amz-security-token"]).toBe("token");
	});

	test("the profile that AWS_PROFILE names", async () => {
		const api = await startLambdaApi(result());
		const folder = await mkdtemp(join(tmpdir(), "profile-"));
		const config = `[profile mine]\nregion = eu-south-1\nendpoint_url = ${api.endpoint}\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = secret\n`;
		try {
			await writeFile(join(folder, "config"), config);
			environment({ AWS_CONFIG_FILE: join(folder, "config"), AWS_PROFILE: "mine" });
			await sendWith({ functionName: "everything" });
		} finally {
			await rm(folder, { recursive: true });
		}
		expect(signedWith(api)).toStrictEqual(["AKIDPROFILE", "eu-south-1", "lambda"]);
	});

	test("a function that gets them", async () => {
		const api = await startLambdaApi(result());
		const provider = async () => ({ ...credentials, accessKeyId: "AKIDPROVIDER" });
		await connect(api, { credentials: provider }).transport.send(toolCall);
		expect(signedWith(api)).toStrictEqual(["AKIDPROVIDER", "eu-west-1", "lambda"]);
	});

	test("a client that is given", async () => {
		const api = await startLambdaApi(result());
		const client = clientOf(api, { region: "ca-central-1" });
		await sendWith({ functionName: "everything", client });
		expect(signedWith(api)).toStrictEqual(["AKIDEXAMPLE", "ca-central-1", "lambda"]);
	});

	test("nowhere, and that is said", async () => {
		const api = await startLambdaApi(result());
		const error = await rejection(
			sendWith({ functionName: "everything", regionName: "eu-west-1", endpoint: api.endpoint }),
		);
		expect(error).toMatchObject({ code: "CLIENT_MISCONFIGURED", execution: "none", attempts: 1 });
		expect(error.message).toContain("no AWS credentials were found; set a profile or AWS_* variables");
		expect(api.calls).toHaveLength(0);
	});
});

describe.each([false, true])("what is missing for a call, streaming: %s", (streaming) => {
	test.each<[string, LambdaFunctionParameters["credentials"], string]>([
		["that cannot be had", () => Promise.reject(new Error("run aws sso login")), "run aws sso login"],
		["that are none", {} as never, "credential object is not valid"],
	])("is said of credentials %s", async (_, given, detail) => {
		const api = await startLambdaApi(result());
		const error = await rejection(connect(api, { credentials: given, streaming }).transport.send(toolCall));
		expect(error).toMatchObject({ code: "CLIENT_MISCONFIGURED", execution: "none", attempts: 1 });
		expect(error.message).toContain("the call could not be made; check the credentials");
		expect(error.message).toContain(detail);
		expect(api.calls).toHaveLength(0);
	});

	test("is tried again when it is a connection", async () => {
		const api = await startLambdaApi(result());
		let times = 0;
		const provider = async () => {
			times += 1;
			if (times === 1) throw Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", syscall: "read" });
			return credentials;
		};
		await connect(api, { credentials: provider }).transport.send(toolCall);
		expect([times, api.executions()]).toStrictEqual([2, 1]);
	});
});

test("a certificate that is not trusted is said to be that, and nothing is sent again", async () => {
	const untrusted = Object.assign(new Error("self-signed certificate"), { code: "SELF_SIGNED_CERT_IN_CHAIN" });
	const error = await rejection(
		sendWith({ functionName: "everything", client: { send: () => Promise.reject(untrusted) } }),
	);
	expect(error).toMatchObject({ code: "CLIENT_MISCONFIGURED", execution: "none", attempts: 1, cause: untrusted });
	expect(error.message).toContain("name the authority's file in NODE_EXTRA_CA_CERTS");
});

test("a connection that the other end is about to close is not used again", async () => {
	const api = await startLambdaApi({
		...result(),
		give: (response, { message }) => {
			response.setHeader("Keep-Alive", "timeout=1");
			response.end(JSON.stringify({ jsonrpc: "2.0", id: message.id, result: {} }));
		},
	});
	const { transport } = connect(api);
	await transport.send(toolCall);
	await transport.send(toolCall);
	expect(api.connections()).toBe(2);
});

test("one that is not is used again", async () => {
	const api = await startLambdaApi(result());
	const { transport } = connect(api);
	await transport.send(toolCall);
	await transport.send(toolCall);
	expect(api.connections()).toBe(1);
});

test("the parameters of the reference are accepted", async () => {
	const api = await startLambdaApi(result());
	environment({
		AWS_ENDPOINT_URL_LAMBDA: api.endpoint,
		AWS_ACCESS_KEY_ID: "AKIDENV",
		AWS_SECRET_ACCESS_KEY: "secret",
	});
	const parameters: ReferenceParameters = { functionName: "everything", regionName: "eu-west-2" };
	await sendWith(parameters);
	expect(signedWith(api)).toStrictEqual(["AKIDENV", "eu-west-2", "lambda"]);
});

describe("a parameter that is wrong", () => {
	test.each<[string, unknown, string]>([
		["functionName", undefined, "is missing; it must be a string that is not empty"],
		["functionName", "", 'must be a string that is not empty, not ""'],
		["functionName", 5, "must be a string that is not empty, not 5"],
		["regionName", "", 'must be a string that is not empty, not ""'],
		["qualifier", 1, "must be a string that is not empty, not 1"],
		["tenantId", null, "must be a string that is not empty, not null"],
		["clientContext", "x", 'must be an object whose JSON has at most 3583 bytes as base64, not "x"'],
		["clientContext", { text: "x".repeat(2700) }, "must be an object whose JSON has at most 3583 bytes as base64"],
		["clientContext", { big: 1n }, "must be an object whose JSON has at most 3583 bytes as base64, not an object"],
		["client", {}, "must be a LambdaClient, not an object"],
		["endpoint", "localhost", 'must be a URL, not "localhost"'],
		["endpoint", new URL("http://localhost"), "must be a URL, not an object"],
		["credentials", "AKID", "must be credentials or a function that gets them, not a string"],
		["timeoutMs", -1, "must be a number of milliseconds, 0 or more, not -1"],
		["signal", {}, "must be an AbortSignal, not an object"],
		["retry", 3, "must be an object, not 3"],
		["observer", () => {}, "must be an object, not a function"],
		["streaming", "yes", 'must be a boolean, not "yes"'],
		["sendNotifications", 0, "must be a boolean, not 0"],
		["region", "eu-west-1", "is not an option; the options are functionName, regionName, "],
	])("%s %o is refused", (name, value, problem) => {
		const make = () => new Transport({ functionName: "everything", [name]: value } as LambdaFunctionParameters);
		expect(make).toThrow(TypeError);
		expect(make).toThrow(`parameters.${name} ${problem}`);
	});

	test.each<[string, unknown]>([
		["regionName", "eu-west-1"],
		["endpoint", "http://localhost"],
		["credentials", credentials],
	])("%s together with a client is refused", (name, value) => {
		const client = clientOf({ endpoint: "http://127.0.0.1:1" });
		const make = () => new Transport({ functionName: "everything", client, [name]: value });
		expect(make).toThrow(TypeError);
		expect(make).toThrow(`parameters.${name} and parameters.client exclude each other`);
	});

	test.each([[null], ["everything"], [undefined], [["everything"]]])("is %j in place of them all", (parameters) => {
		const make = () => new Transport(parameters as never);
		expect(make).toThrow(TypeError);
		expect(make).toThrow("parameters must be an object, not ");
	});

	test("is not a client context that just fits", () => {
		const clientContext = { t: "x".repeat(2677) };
		expect(Buffer.from(JSON.stringify(clientContext)).toString("base64").length).toBe(3580);
		expect(() => new Transport({ functionName: "everything", clientContext })).not.toThrow();
	});
});

describe("the documented defaults", () => {
	const inParameters = documentedDefaults("client/parameters.ts", "LambdaFunctionParameters");
	const inRetry = documentedDefaults("client/retry.ts", "RetryOptions");
	const functionName = "everything";

	test("cover every option and no other", () => {
		const parameters = acceptedNames(() => resolveParameters({ functionName, no: 1 } as LambdaFunctionParameters));
		expect([...inParameters.keys()].sort()).toStrictEqual(parameters.sort());
		expect([...inRetry.keys()].sort()).toStrictEqual(
			acceptedNames(() => resolveRetryOptions({ no: 1 } as object)).sort(),
		);
	});

	test.each(["streaming", "sendNotifications", "timeoutMs"] as const)("say what %s is", (name) => {
		const said = inParameters.get(name)?.split(",")[0] as string;
		expect(resolveParameters({ functionName })[name]).toBe(JSON.parse(said));
	});

	test.each(["maxAttempts", "baseDelayMs", "maxDelayMs", "maxElapsedMs", "retryFunctionErrors"] as const)(
		"say what retry.%s is",
		(name) => {
			expect(resolveRetryOptions({})[name]).toBe(JSON.parse(inRetry.get(name) as string));
		},
	);

	test("say how large the retry budget is", () => {
		const [, size] = /^one of (\d+) retries for each transport$/.exec(inRetry.get("budget") as string) ?? [];
		const { budget } = resolveRetryOptions({});
		const taken = Array.from({ length: 1000 }, () => budget.take()).filter(Boolean);
		expect(taken).toHaveLength(Number(size));
		expect(resolveRetryOptions({}).budget).not.toBe(budget);
	});

	test("are what undefined means", () => {
		const undefinedOf = (names: Iterable<string>) => Object.fromEntries([...names].map((name) => [name, undefined]));
		const comparable = (parameters: LambdaFunctionParameters) => JSON.stringify(resolveParameters(parameters).target);
		const parameters = { ...undefinedOf(inParameters.keys()), functionName };
		expect(comparable(parameters)).toBe(comparable({ functionName }));
		const { budget: _, ...retry } = resolveRetryOptions(undefinedOf(inRetry.keys()));
		expect(resolveRetryOptions({})).toMatchObject(retry);
	});
});
