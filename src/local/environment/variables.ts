import { delimiter, dirname } from "node:path";
import type { ResolvedFunction } from "../options.ts";

export type EnvironmentIdentity = {
	/** Host and port of its Runtime API. */
	readonly runtimeApi: string;
	readonly logStreamName: string;
	/** What /tmp is on Lambda. */
	readonly temporaryFolder: string;
};

/** The environment variables of a runtime process; HOME is not set, as on Lambda. */
export function createEnvironmentVariables(
	fn: ResolvedFunction,
	{ runtimeApi, logStreamName, temporaryFolder }: EnvironmentIdentity,
): Record<string, string> {
	return {
		LANG: "en_US.UTF-8",
		TZ: ":UTC",
		// The node that runs this one comes first: `node` and `npx` in a handler are then the same version.
		PATH: [dirname(process.execPath), "/usr/local/bin", "/usr/bin", "/bin", "/opt/bin"].join(delimiter),
		TMPDIR: temporaryFolder,
		AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
		AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		AWS_SESSION_TOKEN: "local-session-token",
		...fn.environment,
		_HANDLER: fn.handler,
		AWS_REGION: fn.region,
		AWS_DEFAULT_REGION: fn.region,
		AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${process.versions.node.split(".")[0]}.x`,
		AWS_LAMBDA_FUNCTION_NAME: fn.name,
		AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fn.memorySizeMb),
		AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
		AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
		AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${fn.name}`,
		AWS_LAMBDA_LOG_STREAM_NAME: logStreamName,
		AWS_LAMBDA_RUNTIME_API: runtimeApi,
		LAMBDA_TASK_ROOT: fn.taskRoot,
		LAMBDA_RUNTIME_DIR: dirname(fn.command.file),
	};
}
