import { expect, test } from "vitest";
import { type LocalFunctionOptions, type LocalLambdaOptions, startLocalLambda } from "../../src/local/index.ts";

const functions = { echo: { handler: "/functions/echo.mjs" } };

const withFunction = (options: object): object => ({ functions: { echo: { ...functions.echo, ...options } } });

test.each<[object, string]>([
	[{}, "startLocalLambda.functions is missing; it must be an object with at least one function"],
	[{ functions: {} }, "startLocalLambda.functions must be an object with at least one function, not an object"],
	[{ functions, ports: 1 }, "startLocalLambda.ports is not an option; the options are functions, fronts, host, port, "],
	[{ functions, port: -1 }, "startLocalLambda.port must be an integer from 0 to 65535, not -1"],
	[{ functions, host: "" }, 'startLocalLambda.host must be a string that is not empty, not ""'],
	[{ functions, region: "Prague" }, 'startLocalLambda.region must be a region such as us-east-1, not "Prague"'],
	[{ functions, accountId: "1" }, 'startLocalLambda.accountId must be twelve digits, not "1"'],
	[{ functions, concurrency: 0 }, "startLocalLambda.concurrency must be an integer from 1 to 1000, not 0"],
	[{ functions, freeze: "no" }, 'startLocalLambda.freeze must be a boolean, not "no"'],
	[{ functions, runtime: "bun" }, 'startLocalLambda.runtime must be "own" or "aws", not "bun"'],
	[{ functions, onLog: [] }, "startLocalLambda.onLog must be a function, not an array"],
	[{ functions: { "a b": functions.echo } }, "functions.a b: a function's name has up to 64 letters"],
	[
		{ functions: { echo: {} } },
		"functions.echo.handler is missing; it must be a .js, .mjs or .cjs file whose name has no other dot",
	],
	[
		withFunction({ handler: "/a/echo.ts" }),
		'functions.echo.handler must be a .js, .mjs or .cjs file whose name has no other dot, not "/a/echo.ts"',
	],
	[
		withFunction({ handler: "src/echo.main" }),
		'functions.echo.handler must be a file; write handler "src/echo.mjs" (or .js, .cjs) and exportName "main"',
	],
	[withFunction({ handler: "/a/echo.min.js" }), 'whose name has no other dot, not "/a/echo.min.js"'],
	[
		withFunction({ taskRoot: "/elsewhere" }),
		"functions.echo.handler must be a file in taskRoot (/elsewhere); it is /functions/echo.mjs",
	],
	[withFunction({ exportName: "a..b" }), 'functions.echo.exportName must be the name of an export, not "a..b"'],
	[withFunction({ timeoutMs: "3s" }), 'functions.echo.timeoutMs must be an integer from 1 to 900000, not "3s"'],
	[withFunction({ timeoutMs: 900_001 }), "functions.echo.timeoutMs must be an integer from 1 to 900000, not 900001"],
	[withFunction({ memorySizeMb: 64 }), "functions.echo.memorySizeMb must be an integer from 128 to 10240, not 64"],
	[withFunction({ environment: { A: 1 } }), "functions.echo.environment.A must be a string, not a number"],
	[
		withFunction({ environment: { AWS_REGION: "x" } }),
		"functions.echo.environment must not set what Lambda reserves; it sets AWS_REGION",
	],
	[
		withFunction({ reservedConcurrency: 11 }),
		"concurrency must be at least what functions reserve, 11 in all; it is 10",
	],
	[withFunction({ initTimeoutMs: 0 }), "functions.echo.initTimeoutMs must be an integer from 1 to 900000, not 0"],
	[withFunction({ timeout: 3 }), "functions.echo.timeout is not an option"],
])("refuses %j", async (options, message) => {
	const error = await startLocalLambda(options as LocalLambdaOptions).catch((cause: unknown) => cause);
	expect(error).toBeInstanceOf(TypeError);
	expect((error as Error).message).toContain(message);
});

test("takes undefined for the default of every option that has one", async () => {
	const undefinedOf = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, undefined]));
	const options = undefinedOf([
		"host",
		"port",
		"region",
		"accountId",
		"concurrency",
		"freeze",
		"runtime",
		"ricPath",
		"onLog",
	]);
	const fn = undefinedOf([
		"exportName",
		"taskRoot",
		"timeoutMs",
		"memorySizeMb",
		"environment",
		"reservedConcurrency",
		"freeze",
	]);
	await using lambda = await startLocalLambda({
		...options,
		functions: { echo: { ...functions.echo, ...fn } as LocalFunctionOptions },
	});
	expect(lambda.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
	expect(() => lambda.environments("other")).toThrow(new TypeError("There is no function other; there are echo"));
});

test("says how to install AWS's runtime when it is asked for and missing", async () => {
	const error = await startLocalLambda({ functions, runtime: "aws", ricPath: "/nowhere" }).catch((cause) => cause);
	expect(error.message).toBe(
		'The runtime "aws" needs the npm package aws-lambda-ric, which is not found from /nowhere. Install it with ' +
			"`npm install --save-dev aws-lambda-ric@4` (on Linux, with cmake, g++, make and xz), or name the folder where it is " +
			"installed in the option ricPath.",
	);
});
