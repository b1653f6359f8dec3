import { basename, dirname, extname, isAbsolute, relative, resolve, sep } from "node:path";
import { isObject } from "../jsonrpc.ts";
import {
	callable,
	environmentVariables,
	integer,
	type OptionRules,
	oneOf,
	text,
	trueOrFalse,
	validateOptions,
} from "../validate.ts";
import type { EnvironmentListener } from "./environment/environment.ts";
import { reservedVariables } from "./environment/reserved-variables.ts";
import { type RuntimeCommand, resolveRuntimeCommand } from "./environment/runtime-command.ts";
import type { LocalLambdaEvent } from "./event.ts";
import { type LocalFrontOptions, type ResolvedFront, resolveFront } from "./front/http/options.ts";
import { createFailurePrinter, type LocalLambdaLog } from "./log.ts";

export type LocalLambdaOptions = {
	/** The functions, by name. A name has up to 64 letters, digits, "-" and "_". */
	readonly functions: { readonly [name: string]: LocalFunctionOptions };
	/** What turns HTTP requests into invocations, by name; `urls` has the URL of each. */
	readonly fronts?: { readonly [name: string]: LocalFrontOptions } | undefined;
	/**
	 * The address to listen on.
	 *
	 * Whoever reaches it may invoke the functions: requests are not authenticated.
	 *
	 * @default "127.0.0.1"
	 */
	readonly host?: string | undefined;
	/**
	 * The port to listen on; 0 takes a free one.
	 *
	 * @default 0
	 */
	readonly port?: number | undefined;
	/**
	 * The region in ARNs and in AWS_REGION.
	 *
	 * @default "us-east-1"
	 */
	readonly region?: string | undefined;
	/**
	 * The account in ARNs, twelve digits.
	 *
	 * @default "123456789012"
	 */
	readonly accountId?: string | undefined;
	/**
	 * How many invocations can run at once: the account's concurrency.
	 *
	 * What functions reserve is taken from it; the rest is shared by those that reserve nothing.
	 *
	 * @default 10
	 */
	readonly concurrency?: number | undefined;
	/**
	 * Stop all processes of an environment between invocations, as Lambda does; a function can say otherwise.
	 *
	 * @default true
	 */
	readonly freeze?: boolean | undefined;
	/**
	 * What runs the handlers; a function can say otherwise.
	 *
	 * "own" is a small runtime that behaves as AWS's. "aws" is AWS's own runtime interface client, from the npm package
	 * `aws-lambda-ric` 4, which you install (Linux; its installation compiles and needs cmake, g++, make and xz).
	 *
	 * @default "own"
	 */
	readonly runtime?: "own" | "aws" | undefined;
	/**
	 * The folder from which `aws-lambda-ric` is resolved, for the runtime "aws".
	 *
	 * @default process.cwd()
	 */
	readonly ricPath?: string | undefined;
	/** Gets each line of the functions' logs; without it they are dropped. */
	readonly onLog?: ((log: LocalLambdaLog) => void) | undefined;
	/** Told what happens to the environments: their states, their processes, each freeze and thaw. */
	readonly onEvent?: ((event: LocalLambdaEvent) => void) | undefined;
};

export type LocalFunctionOptions = {
	/**
	 * The built handler file, `.js`, `.mjs` or `.cjs`.
	 *
	 * A relative path starts at `taskRoot`, or at the working directory when there is none. As in Lambda, the name before
	 * the extension has no dot, and of `handler.js`, `handler.mjs` and `handler.cjs` in one folder the first is loaded. A
	 * file that does not exist is the invocation's function error, as in Lambda.
	 */
	readonly handler: string;
	/**
	 * The export that is called; dots reach into an exported object.
	 *
	 * @default "handler"
	 */
	readonly exportName?: string | undefined;
	/**
	 * What would be unpacked in /var/task: the working directory of the handler, and LAMBDA_TASK_ROOT.
	 *
	 * @default the folder of the handler file
	 */
	readonly taskRoot?: string | undefined;
	/**
	 * How long an invocation may take, in ms, up to 15 minutes.
	 *
	 * @default 3000
	 */
	readonly timeoutMs?: number | undefined;
	/**
	 * The memory size in MB, 128 to 10240: it is told to the function, and the heap of its Node.js is limited as in Lambda
	 * (90 %); what the environment uses in all is not limited.
	 *
	 * @default 128
	 */
	readonly memorySizeMb?: number | undefined;
	/**
	 * The function's environment variables.
	 *
	 * Those that Lambda reserves cannot be set, except the credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
	 * AWS_SESSION_TOKEN), which are dummies without it. Nothing of the host's environment is passed on.
	 *
	 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
	 *
	 * @default {}
	 */
	readonly environment?: { readonly [name: string]: string } | undefined;
	/** How many invocations of this function can run at once, taken from `concurrency`; 0 throttles every invocation. */
	readonly reservedConcurrency?: number | undefined;
	/**
	 * Whether each tenant has environments of its own: every invocation must then name one (`TenantId` of the Invoke API).
	 *
	 * https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation.html
	 *
	 * @default false
	 */
	readonly tenantIsolation?: boolean | undefined;
	/** As `freeze` of all functions, for this one. */
	readonly freeze?: boolean | undefined;
	/** As `runtime` of all functions, for this one. */
	readonly runtime?: "own" | "aws" | undefined;
	/**
	 * How long the INIT phase may take, in ms, before it is started again as part of the invocation.
	 *
	 * @default 10000
	 */
	readonly initTimeoutMs?: number | undefined;
};

export type ResolvedLambda = {
	readonly functions: readonly ResolvedFunction[];
	readonly fronts: readonly ResolvedFront[];
	readonly host: string;
	readonly port: number;
	readonly concurrency: number;
	readonly listener: EnvironmentListener;
};

export type ResolvedFunction = {
	readonly name: string;
	readonly arn: string;
	readonly region: string;
	/** The file that was named, as an absolute path. */
	readonly file: string;
	/** As in _HANDLER: path and file name without extension, a dot, the export. */
	readonly handler: string;
	readonly taskRoot: string;
	readonly timeoutMs: number;
	readonly memorySizeMb: number;
	readonly environment: { readonly [name: string]: string };
	readonly reservedConcurrency: number | undefined;
	readonly tenantIsolation: boolean;
	readonly freeze: boolean;
	readonly command: RuntimeCommand;
	readonly initTimeoutMs: number;
};

const defaultAccountId = "123456789012";

const runtimes = oneOf("own", "aws");

const lambdaRules: OptionRules<LocalLambdaOptions> = {
	functions: {
		expected: "an object with at least one function",
		accepts: (value) => typeof value === "object" && value !== null && Object.keys(value).length > 0,
		required: true,
	},
	fronts: { expected: "an object with a front for each name", accepts: isObject },
	host: text,
	port: integer(0, 65535),
	region: { expected: "a region such as us-east-1", accepts: matches(/^[a-z]{2}(-[a-z]+)+-\d+$/) },
	accountId: { expected: "twelve digits", accepts: matches(/^\d{12}$/) },
	concurrency: integer(1, 1000),
	freeze: trueOrFalse,
	runtime: runtimes,
	ricPath: text,
	onLog: callable,
	onEvent: callable,
};

const functionRules: OptionRules<LocalFunctionOptions> = {
	handler: {
		expected: "a .js, .mjs or .cjs file whose name has no other dot",
		accepts: matches(/(^|[/\\])[^./\\]+\.[cm]?js$/),
		required: true,
		// The form that AWS has: a path without its extension, a dot, and the export.
		problem: (value) => {
			const [, path, name] = /^(.*[^./\\])\.([A-Za-z_$][\w$]*)$/.exec(String(value)) ?? [];
			if (typeof value !== "string" || path === undefined || /^[cm]?[jt]s$/.test(name ?? "")) return undefined;
			const what = `must be a file; write handler ${JSON.stringify(`${path}.mjs`)} (or .js, .cjs) and exportName ${JSON.stringify(name)}`;
			return { member: "", what };
		},
	},
	exportName: { expected: "the name of an export", accepts: matches(/^[^.\s]+(\.[^.\s]+)*$/) },
	taskRoot: text,
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	timeoutMs: integer(1, 900_000),
	memorySizeMb: integer(128, 10_240),
	environment: environmentVariables,
	reservedConcurrency: integer(0, 1000),
	tenantIsolation: trueOrFalse,
	freeze: trueOrFalse,
	runtime: runtimes,
	initTimeoutMs: integer(1, 900_000),
};

/** Checks the options and fills in what is left out; throws a `TypeError` that names the option. */
export function resolveOptions(options: LocalLambdaOptions): ResolvedLambda {
	validateOptions("startLocalLambda", options, lambdaRules);
	const functions = Object.entries(options.functions).map(([name, fn]) => resolveFunction(name, fn, options));
	const concurrency = options.concurrency ?? 10;
	const reserved = functions.reduce((sum, fn) => sum + (fn.reservedConcurrency ?? 0), 0);
	if (reserved > concurrency) {
		throw new TypeError(
			`concurrency must be at least what functions reserve, ${reserved} in all; it is ${concurrency}`,
		);
	}
	const fronts = Object.entries(options.fronts ?? {}).map(([name, front]) =>
		resolveFront(name, front, functions, options.accountId ?? defaultAccountId),
	);
	return {
		functions,
		fronts,
		host: options.host ?? "127.0.0.1",
		port: options.port ?? 0,
		concurrency,
		listener: { onLog: options.onLog ?? createFailurePrinter(), onEvent: options.onEvent ?? (() => {}) },
	};
}

function resolveFunction(name: string, fn: LocalFunctionOptions, options: LocalLambdaOptions): ResolvedFunction {
	const where = `functions.${name}`;
	if (!/^[\w-]{1,64}$/.test(name)) {
		throw new TypeError(`${where}: a function's name has up to 64 letters, digits, "-" and "_"`);
	}
	validateOptions(where, fn, functionRules);
	const reserved = Object.keys(fn.environment ?? {}).filter((variable) => reservedVariables.has(variable));
	if (reserved.length > 0) {
		throw new TypeError(`${where}.environment must not set what Lambda reserves; it sets ${reserved.join(", ")}`);
	}
	const region = options.region ?? "us-east-1";
	const file = resolve(fn.taskRoot ?? ".", fn.handler);
	const taskRoot = fn.taskRoot === undefined ? dirname(file) : resolve(fn.taskRoot);
	const path = relative(taskRoot, file);
	if (path.startsWith(`..${sep}`) || isAbsolute(path)) {
		throw new TypeError(`${where}.handler must be a file in taskRoot (${taskRoot}); it is ${file}`);
	}
	const module = `${dirname(path)}/${basename(path, extname(path))}`.replace(/^\.\//, "");
	return {
		name,
		arn: `arn:aws:lambda:${region}:${options.accountId ?? defaultAccountId}:function:${name}`,
		region,
		file,
		handler: `${module}.${fn.exportName ?? "handler"}`,
		taskRoot,
		timeoutMs: fn.timeoutMs ?? 3000,
		memorySizeMb: fn.memorySizeMb ?? 128,
		environment: fn.environment ?? {},
		reservedConcurrency: fn.reservedConcurrency,
		tenantIsolation: fn.tenantIsolation ?? false,
		freeze: fn.freeze ?? options.freeze ?? true,
		command: resolveRuntimeCommand(fn.runtime ?? options.runtime ?? "own", options.ricPath),
		initTimeoutMs: fn.initTimeoutMs ?? 10_000,
	};
}

function matches(pattern: RegExp): (value: unknown) => boolean {
	return (value) => typeof value === "string" && pattern.test(value);
}
