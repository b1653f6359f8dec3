import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { childEnvironment, inheritedFingerprint } from "../../src/child/variables.ts";
import { resolveParams, type StdioServerParams } from "../../src/params.ts";

const temporary = mkdtempSync(join(tmpdir(), "environment-"));
const home = join(temporary, "home");
mkdirSync(home);
const nowhere = join(temporary, "nowhere");

/** A Lambda environment's variables, as far as they matter here. */
const inLambda = {
	PATH: "/var/lang/bin:/usr/bin",
	LANG: "en_US.UTF-8",
	TZ: ":UTC",
	LD_LIBRARY_PATH: "/var/lang/lib",
	NODE_EXTRA_CA_CERTS: "/var/runtime/ca-cert.pem",
	AWS_REGION: "eu-central-1",
	AWS_DEFAULT_REGION: "eu-central-1",
	AWS_ACCESS_KEY_ID: "ASIA1",
	AWS_SECRET_ACCESS_KEY: "secret",
	AWS_SESSION_TOKEN: "session",
	AWS_LAMBDA_FUNCTION_NAME: "weather",
	AWS_LAMBDA_RUNTIME_API: "127.0.0.1:9001",
	NODE_OPTIONS: "--require /opt/wrapper.cjs",
	LD_PRELOAD: "/opt/hook.so",
	_X_AMZN_TRACE_ID: "Root=1-5759e988-bd862e3fe1be46a994272793",
	_HANDLER: "index.handler",
	API_KEY: "key",
	PROXY: "http://proxy",
	TMPDIR: temporary,
};

const always = {
	PATH: inLambda.PATH,
	LANG: inLambda.LANG,
	TZ: inLambda.TZ,
	LD_LIBRARY_PATH: inLambda.LD_LIBRARY_PATH,
	NODE_EXTRA_CA_CERTS: inLambda.NODE_EXTRA_CA_CERTS,
	TMPDIR: temporary,
	HOME: temporary,
	XDG_CACHE_HOME: join(temporary, ".cache"),
	npm_config_cache: join(temporary, ".npm"),
};

const aws = {
	AWS_REGION: inLambda.AWS_REGION,
	AWS_DEFAULT_REGION: inLambda.AWS_DEFAULT_REGION,
	AWS_ACCESS_KEY_ID: inLambda.AWS_ACCESS_KEY_ID,
	AWS_SECRET_ACCESS_KEY: inLambda.AWS_SECRET_ACCESS_KEY,
	AWS_SESSION_TOKEN: inLambda.AWS_SESSION_TOKEN,
};

const forbidden = ["AWS_LAMBDA_RUNTIME_API", "NODE_OPTIONS", "LD_PRELOAD"];

beforeEach(() => {
	for (const name of Object.keys(process.env)) vi.stubEnv(name, undefined);
	for (const [name, value] of Object.entries(inLambda)) vi.stubEnv(name, value);
});

afterEach(() => void vi.unstubAllEnvs());
afterAll(() => rmSync(temporary, { recursive: true }));

function environmentOf(params: Partial<StdioServerParams> = {}, forOneRequest = false): Record<string, string> {
	return childEnvironment(resolveParams({ command: "server", ...params }), forOneRequest);
}

function fingerprintOf(inheritEnv: StdioServerParams["inheritEnv"]): string {
	return inheritedFingerprint(resolveParams({ command: "server", inheritEnv }));
}

describe("childEnvironment", () => {
	test("has the default list and nothing else", () => {
		expect(environmentOf()).toStrictEqual(always);
	});

	test("has the folders of a layer's packages", () => {
		vi.stubEnv("NODE_PATH", "/opt/nodejs/node_modules");
		expect(environmentOf()).toStrictEqual({ ...always, NODE_PATH: "/opt/nodejs/node_modules" });
	});

	test("leaves out what is not set", () => {
		for (const name of ["PATH", "LANG", "TZ", "LD_LIBRARY_PATH", "NODE_EXTRA_CA_CERTS"]) vi.stubEnv(name, undefined);
		expect(Object.keys(environmentOf()).sort()).toStrictEqual(["HOME", "TMPDIR", "XDG_CACHE_HOME", "npm_config_cache"]);
	});

	test('adds credentials and region with "aws"', () => {
		expect(environmentOf({ inheritEnv: "aws" })).toStrictEqual({ ...always, ...aws });
	});

	test.each([
		["AWS_PROFILE"],
		["AWS_CONFIG_FILE"],
		["AWS_SHARED_CREDENTIALS_FILE"],
		["AWS_CONTAINER_CREDENTIALS_FULL_URI"],
		["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"],
		["AWS_CONTAINER_AUTHORIZATION_TOKEN"],
		["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"],
		["AWS_WEB_IDENTITY_TOKEN_FILE"],
		["AWS_ROLE_ARN"],
		["AWS_ROLE_SESSION_NAME"],
	])('adds %s with "aws", where SDKs look for credentials too', (name) => {
		vi.stubEnv(name, "value");
		expect(environmentOf({ inheritEnv: "aws" })[name]).toBe("value");
		expect(environmentOf()).not.toHaveProperty(name);
	});

	test('adds everything but what is forbidden with "all"', () => {
		const { _X_AMZN_TRACE_ID, AWS_LAMBDA_RUNTIME_API, NODE_OPTIONS, LD_PRELOAD, ...rest } = inLambda;
		expect(environmentOf({ inheritEnv: "all" })).toStrictEqual({ ...always, ...rest });
	});

	test("adds what a list names, as far as it is set", () => {
		expect(environmentOf({ inheritEnv: ["PROXY", "API_KEY", "UNSET"] })).toStrictEqual({
			...always,
			PROXY: inLambda.PROXY,
			API_KEY: inLambda.API_KEY,
		});
	});

	test.each(["aws", "all", []] as const)("never has what is forbidden with %j", (inheritEnv) => {
		for (const forOneRequest of [true, false]) {
			const environment = environmentOf({ inheritEnv }, forOneRequest);
			for (const name of forbidden) expect(environment).not.toHaveProperty(name);
		}
	});

	test.each(forbidden)("has %s when env names it, and a list may not", (name) => {
		expect(environmentOf({ env: { [name]: "on purpose" } })[name]).toBe("on purpose");
		expect(() => environmentOf({ inheritEnv: ["PATH", name] })).toThrow(TypeError);
	});

	test.each(["aws", "all", ["PATH", "TMPDIR", "HOME", "AWS_REGION"]] as const)(
		"has env above all with %j",
		(inheritEnv) => {
			const env = {
				PATH: "/bin",
				HOME: "/home/me",
				TMPDIR: "/scratch",
				XDG_CACHE_HOME: "/cache",
				npm_config_cache: "/npm",
				AWS_REGION: "us-east-1",
				_X_AMZN_TRACE_ID: "Root=mine",
				EMPTY: "",
			};
			expect(environmentOf({ inheritEnv, env })).toMatchObject(env);
			expect(environmentOf({ inheritEnv, env }, true)).toMatchObject(env);
		},
	);

	test.each([undefined, "aws", "all"] as const)(
		"has the trace id only when started for one request, with %j",
		(inheritEnv) => {
			expect(environmentOf({ inheritEnv }, true)._X_AMZN_TRACE_ID).toBe(inLambda._X_AMZN_TRACE_ID);
			expect(environmentOf({ inheritEnv }, false)).not.toHaveProperty("_X_AMZN_TRACE_ID");
		},
	);

	test("has no trace id of another request even when a list names it", () => {
		const inheritEnv = ["_X_AMZN_TRACE_ID"];
		expect(environmentOf({ inheritEnv }, true)._X_AMZN_TRACE_ID).toBe(inLambda._X_AMZN_TRACE_ID);
		expect(environmentOf({ inheritEnv }, false)).not.toHaveProperty("_X_AMZN_TRACE_ID");
	});

	test("is read afresh at each call", () => {
		const params = resolveParams({ command: "server", inheritEnv: "aws" });
		expect(childEnvironment(params, true).AWS_ACCESS_KEY_ID).toBe("ASIA1");
		vi.stubEnv("AWS_ACCESS_KEY_ID", "ASIA2");
		vi.stubEnv("AWS_SESSION_TOKEN", undefined);
		vi.stubEnv("_X_AMZN_TRACE_ID", "Root=2");
		const environment = childEnvironment(params, true);
		expect(environment).toMatchObject({ AWS_ACCESS_KEY_ID: "ASIA2", _X_AMZN_TRACE_ID: "Root=2" });
		expect(environment).not.toHaveProperty("AWS_SESSION_TOKEN");
	});

	test("is an object of its own each time", () => {
		const params = resolveParams({ command: "server", env: { A: "1" } });
		childEnvironment(params, false).A = "2";
		expect(childEnvironment(params, false).A).toBe("1");
	});
});

describe("the folders that a server may write to", () => {
	const folders = (environment: Record<string, string>) => {
		const { HOME, XDG_CACHE_HOME, npm_config_cache } = environment;
		return { HOME, XDG_CACHE_HOME, npm_config_cache };
	};
	const below = (folder: string) => ({
		HOME: folder,
		XDG_CACHE_HOME: join(folder, ".cache"),
		npm_config_cache: join(folder, ".npm"),
	});

	test("are below HOME when it can be written to", () => {
		vi.stubEnv("HOME", home);
		for (const inheritEnv of [undefined, "all"] as const) {
			expect(folders(environmentOf({ inheritEnv }))).toStrictEqual(below(home));
		}
	});

	test.each([
		["unset", undefined],
		["empty", ""],
		["a folder that does not exist", nowhere],
	])("are below the temporary folder when HOME is %s", (_, value) => {
		vi.stubEnv("HOME", value);
		for (const inheritEnv of [undefined, "aws", "all"] as const) {
			expect(folders(environmentOf({ inheritEnv }))).toStrictEqual(below(temporary));
		}
	});

	test.skipIf(process.getuid?.() === 0)("are below the temporary folder when HOME is read-only", () => {
		const readOnly = mkdtempSync(join(temporary, "read-only-"));
		chmodSync(readOnly, 0o555);
		vi.stubEnv("HOME", readOnly);
		expect(folders(environmentOf())).toStrictEqual(below(temporary));
	});

	test("are those of this process when they can be written to", () => {
		vi.stubEnv("XDG_CACHE_HOME", home);
		vi.stubEnv("npm_config_cache", nowhere);
		expect(folders(environmentOf())).toStrictEqual({ ...below(temporary), XDG_CACHE_HOME: home });
		vi.stubEnv("XDG_CACHE_HOME", nowhere);
		vi.stubEnv("npm_config_cache", home);
		expect(folders(environmentOf({ inheritEnv: "all" }))).toStrictEqual({
			...below(temporary),
			npm_config_cache: home,
		});
	});

	test("are as they are in this process when a list names them", () => {
		vi.stubEnv("HOME", nowhere);
		expect(environmentOf({ inheritEnv: ["HOME"] }).HOME).toBe(nowhere);
	});
});

describe("inheritedFingerprint", () => {
	test.each(["aws", "all"] as const)("changes with credentials and region, with %j", (inheritEnv) => {
		for (const name of Object.keys(aws)) {
			const before = fingerprintOf(inheritEnv);
			vi.stubEnv(name, "renewed");
			expect(fingerprintOf(inheritEnv)).not.toBe(before);
		}
	});

	test("changes with what a list names, set or unset, and with nothing else", () => {
		const before = fingerprintOf(["API_KEY", "LATER"]);
		vi.stubEnv("AWS_ACCESS_KEY_ID", "renewed");
		vi.stubEnv("_X_AMZN_TRACE_ID", "Root=2");
		expect(fingerprintOf(["API_KEY", "LATER"])).toBe(before);
		vi.stubEnv("LATER", "set");
		const after = fingerprintOf(["API_KEY", "LATER"]);
		expect(after).not.toBe(before);
		vi.stubEnv("API_KEY", undefined);
		expect(fingerprintOf(["API_KEY", "LATER"])).not.toBe(after);
	});

	test.each([undefined, "aws", "all", ["_X_AMZN_TRACE_ID"]] as const)(
		"does not change with the request, with %j",
		(inheritEnv) => {
			const before = fingerprintOf(inheritEnv);
			vi.stubEnv("_X_AMZN_TRACE_ID", "Root=2");
			expect(fingerprintOf(inheritEnv)).toBe(before);
		},
	);

	test("does not change with credentials that are not inherited", () => {
		const before = fingerprintOf(undefined);
		for (const name of Object.keys(aws)) vi.stubEnv(name, "renewed");
		expect(fingerprintOf(undefined)).toBe(before);
	});
});
