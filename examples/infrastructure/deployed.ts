import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { LambdaFunctionClientTransport } from "mcp-stdio-lambda/client";
import { type LocalFunctionOptions, type LocalLambda, startLocalLambda } from "mcp-stdio-lambda/local";
import { stackName } from "./examples.ts";
import { createReadOnlyFolder } from "./read-only-folder.ts";
import { readSynthesisedFunction } from "./synthesised.ts";

const ricPath = process.env.MCP_STDIO_LAMBDA_RIC;

/** The function of an example's stack, as it would be deployed, in a Lambda on this machine. */
export type DeployedFunction = {
	readonly lambda: LocalLambda;
	readonly functionName: string;
	/** All that the function has written, line by line. */
	readonly log: readonly string[];
	/** What a program needs in its environment so that the AWS SDK reaches the function. */
	readonly callerEnvironment: Readonly<Record<string, string>>;
	/** A client of the MCP SDK with the transport of this package. */
	connect(): Promise<Client>;
	/** Ends it, and throws when the function wrote into its task folder or its home. */
	[Symbol.asyncDispose](): Promise<void>;
};

/** What the test decides: addresses of stand-ins, and what else only a deployment knows. */
export type DeployedOptions = Pick<LocalFunctionOptions, "freeze"> & {
	readonly environment?: Readonly<Record<string, string>>;
};

/**
 * Starts the function of an example's synthesised stack: its asset as it stands in the cloud assembly, in a read-only
 * folder, with an empty read-only HOME, and with the handler, memory, timeout, concurrency and environment of the stack.
 * It runs in AWS's own runtime interface client where MCP_STDIO_LAMBDA_RIC names the folder in which that is installed.
 */
export async function deployLocally(example: string, options: DeployedOptions = {}): Promise<DeployedFunction> {
	const { assetFolder, handler, settings, ...stack } = readSynthesisedFunction(example);
	const environment = onlyStrings({ ...stack.environment, ...options.environment });
	const task = createReadOnlyFolder(assetFolder);
	const home = createReadOnlyFolder();
	const removeFolders = (): void => {
		for (const folder of [task, home]) folder.remove();
	};
	const log: string[] = [];
	const functionName = stackName(example);
	const lambda = await startLocalLambda({
		functions: {
			[functionName]: {
				...settings,
				handler: join(task.path, handler),
				environment: { ...environment, HOME: home.path },
				freeze: options.freeze,
			},
		},
		...(ricPath === undefined ? {} : { runtime: "aws", ricPath }),
		onLog: ({ message }) => void log.push(message),
	}).catch((error: unknown) => {
		removeFolders();
		throw error;
	});
	const callerEnvironment = {
		AWS_ENDPOINT_URL_LAMBDA: lambda.endpoint,
		AWS_REGION: "us-east-1",
		AWS_ACCESS_KEY_ID: "local",
		AWS_SECRET_ACCESS_KEY: "local",
	};
	return {
		lambda,
		functionName,
		log,
		callerEnvironment,
		connect: async () => {
			const client = new Client({ name: `verify-${example}`, version: "1.0.0" });
			const transport = new LambdaFunctionClientTransport({
				functionName,
				regionName: "us-east-1",
				endpoint: lambda.endpoint,
				credentials: { accessKeyId: "local", secretAccessKey: "local" },
			});
			await client.connect(transport as Transport);
			return client;
		},
		[Symbol.asyncDispose]: async () => {
			await lambda.close();
			try {
				for (const folder of [task, home]) folder.assertUntouched();
			} finally {
				removeFolders();
			}
		},
	};
}

function onlyStrings(environment: Readonly<Record<string, unknown>>): Record<string, string> {
	return Object.fromEntries(
		Object.entries(environment).map(([name, value]) => {
			if (typeof value !== "string") {
				throw new Error(
					`The stack gives ${name} a value that only a deployment knows: give one in options.environment`,
				);
			}
			return [name, value];
		}),
	);
}
