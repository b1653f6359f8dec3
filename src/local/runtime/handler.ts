import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { ResponseStream } from "./stream.ts";
import { readStreaming } from "./streaming.ts";

type Handler = (event: unknown, context: unknown) => unknown;

export type StreamingHandler = (event: unknown, stream: ResponseStream, context: unknown) => unknown;

export type LoadedHandler =
	| { readonly kind: "buffered"; readonly handle: Handler }
	| { readonly kind: "streaming"; readonly handle: StreamingHandler; readonly highWaterMark: number | undefined };

const callbackMessage = {
	node22:
		"ERROR: AWS Lambda does not support callback-based function handlers when using Node.js 22 with Managed Instances. To use Managed Instances, modify this function to use a supported handler signature. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.",
	node24:
		"ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.",
} as const;

/**
 * Loads `path/to/module.export.path` from the task root; what is wrong with it is told by the error's `name`.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html
 */
export async function loadHandler(taskRoot: string, handlerString: string): Promise<LoadedHandler> {
	const name = basename(handlerString);
	const folder = handlerString.slice(0, -name.length);
	const [moduleName, ...exportPath] = name.split(".");
	if (handlerString.includes("..") || !moduleName || exportPath.length === 0) {
		throw named("Runtime.MalformedHandlerName", "Bad handler");
	}
	const module = await loadModule(taskRoot, folder, moduleName);
	const handler = follow(module, exportPath) ?? follow((module as { default?: unknown }).default, exportPath);
	if (!handler) throw named("Runtime.HandlerNotFound", `${handlerString} is undefined or not exported`);
	if (typeof handler !== "function") throw named("Runtime.HandlerNotFound", `${handlerString} is not a function`);
	const streaming = readStreaming(handler);
	if (streaming) return { kind: "streaming", handle: handler as StreamingHandler, ...streaming };
	if (handler.length >= 3) {
		const isNode22 = process.env.AWS_EXECUTION_ENV === "AWS_Lambda_nodejs22.x";
		throw named("Runtime.CallbackHandlerDeprecated", callbackMessage[isNode22 ? "node22" : "node24"]);
	}
	return { kind: "buffered", handle: handler as Handler };
}

async function loadModule(taskRoot: string, folder: string, moduleName: string): Promise<unknown> {
	const path = resolve(taskRoot, folder, moduleName);
	try {
		for (const extension of ["", ".js", ".mjs", ".cjs"]) {
			if (existsSync(path + extension)) return await import(pathToFileURL(path + extension).href);
		}
		const require = createRequire(import.meta.url);
		return require(require.resolve(moduleName, { paths: [taskRoot, join(taskRoot, folder)] }));
	} catch (error) {
		if (error instanceof SyntaxError) {
			const syntaxError = named("Runtime.UserCodeSyntaxError", String(error));
			if (error.stack !== undefined) syntaxError.stack = error.stack;
			throw syntaxError;
		}
		if (error instanceof Error && (error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") {
			throw named("Runtime.ImportModuleError", String(error));
		}
		throw error;
	}
}

function follow(value: unknown, path: readonly string[]): unknown {
	let found = value;
	for (const key of path) {
		if (!found || typeof found !== "object") return undefined;
		found = (found as Record<string, unknown>)[key];
	}
	return found;
}

function named(name: string, message: string): Error {
	const error = new Error(message);
	error.name = name;
	return error;
}
