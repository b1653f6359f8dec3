import { accessSync, constants } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isInheritable, type ResolvedServerParams } from "../params.ts";

// NODE_PATH is where Node.js finds the packages of a layer: https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
const passedOn = ["PATH", "LANG", "TZ", "NODE_EXTRA_CA_CERTS", "LD_LIBRARY_PATH", "NODE_PATH"];

// https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html#EVarSettings: where SDKs find credentials and region.
const awsNames = [
	"AWS_ACCESS_KEY_ID",
	"AWS_SECRET_ACCESS_KEY",
	"AWS_SESSION_TOKEN",
	"AWS_REGION",
	"AWS_DEFAULT_REGION",
	"AWS_PROFILE",
	"AWS_CONFIG_FILE",
	"AWS_SHARED_CREDENTIALS_FILE",
	"AWS_CONTAINER_CREDENTIALS_FULL_URI",
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
	"AWS_WEB_IDENTITY_TOKEN_FILE",
	"AWS_ROLE_ARN",
	"AWS_ROLE_SESSION_NAME",
];

const traceIdName = "_X_AMZN_TRACE_ID";

/**
 * The environment of a child process, by the policy that `StdioServerParams.inheritEnv` documents. The X-Ray trace id goes
 * in only when the process is started for one request: in any other it would name the wrong trace.
 */
export function childEnvironment(params: ResolvedServerParams, forOneRequest: boolean): Record<string, string> {
	const environment: Record<string, string> = {};
	const inherit = (name: string): void => {
		const value = process.env[name];
		if (value !== undefined && isInheritable(name)) environment[name] = value;
	};
	for (const name of params.inheritEnv === "all" ? Object.keys(process.env) : passedOn) inherit(name);
	delete environment[traceIdName];
	const traceId = forOneRequest ? invocationTraceId() : undefined;
	if (traceId !== undefined) environment[traceIdName] = traceId;
	Object.assign(environment, writableFolders());
	if (params.inheritEnv !== "all") for (const name of inheritedNames(params)) inherit(name);
	return Object.assign(environment, params.env);
}

/** Changes when credentials or other inherited values do: a process started before has the old ones. */
export function inheritedFingerprint(params: ResolvedServerParams): string {
	const names = inheritedNames(params);
	if (names.length === 0) return "";
	return names.map((name) => process.env[name] ?? "").join("\n");
}

/** What a shell or the runtime sets for itself, and words that are more often no variable at all. */
const seldomMeant: ReadonlySet<string> = new Set([
	"PWD",
	"OLDPWD",
	"SHLVL",
	"SHELL",
	"USER",
	"LOGNAME",
	"TERM",
	"DEBUG",
	"ERROR",
	"INFO",
]);

/** The variables that a server speaks of, and that this process has and does not pass to it: their names, at most three. */
export function variablesNotPassed(params: ResolvedServerParams, said: readonly string[]): string[] {
	const passed = childEnvironment(params, false);
	const words = said.flatMap(
		(line) => line.slice(0, 1000).match(/\b(?:[A-Z][A-Z\d_]+|[A-Za-z][A-Za-z\d]*_\w+)\b/g) ?? [],
	);
	const missing = words.filter(
		(name) =>
			process.env[name] !== undefined && !Object.hasOwn(passed, name) && isInheritable(name) && !seldomMeant.has(name),
	);
	return [...new Set(missing)].slice(0, 3);
}

// botocore, the SDKs for JavaScript, Go and Java, in this order.
const noCredentials =
	/unable to locate credentials|must specify a region|could not load credentials|region is missing|failed to (retrieve|refresh cached) credentials|unable to load (credentials|region)/i;

/** Whether a server complains that it has no AWS credentials or region, which it was not given. */
export function missesCredentials({ inheritEnv, env }: ResolvedServerParams, said: readonly string[]): boolean {
	const isGiven =
		typeof inheritEnv === "string" || inheritEnv.includes("AWS_ACCESS_KEY_ID") || "AWS_ACCESS_KEY_ID" in env;
	return !isGiven && said.some((line) => noCredentials.test(line.slice(0, 1000)));
}

export function isAwsName(name: string): boolean {
	return awsNames.includes(name);
}

function inheritedNames(params: ResolvedServerParams): readonly string[] {
	// The trace id is no setting: it is another one at each invocation.
	return typeof params.inheritEnv === "string" ? awsNames : params.inheritEnv.filter((name) => name !== traceIdName);
}

type RuntimeGlobals = { readonly awslambda?: { readonly InvokeStore?: { getXRayTraceId?(): string | undefined } } };

/**
 * The trace of the invocation that runs now. Where several run at once the environment variable cannot tell, and the store
 * of Lambda's runtime does: https://github.com/awslabs/aws-lambda-invoke-store
 */
export function invocationTraceId(): string | undefined {
	const { awslambda } = globalThis as RuntimeGlobals;
	return awslambda?.InvokeStore?.getXRayTraceId?.() ?? process.env[traceIdName];
}

// Only /tmp is writable in Lambda, and HOME is unset or a folder that does not exist:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html
function writableFolders(): Record<string, string> {
	const temporary = tmpdir();
	const home = [process.env.HOME, temporary].find(isWritable) ?? temporary;
	const cache = [process.env.XDG_CACHE_HOME].find(isWritable) ?? join(home, ".cache");
	const npmCache = [process.env.npm_config_cache].find(isWritable) ?? join(home, ".npm");
	return { HOME: home, TMPDIR: temporary, XDG_CACHE_HOME: cache, npm_config_cache: npmCache };
}

function isWritable(folder: string | undefined): folder is string {
	if (!folder) return false;
	try {
		accessSync(folder, constants.W_OK);
		return true;
	} catch {
		return false;
	}
}
