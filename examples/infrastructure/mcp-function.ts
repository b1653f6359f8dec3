import { existsSync } from "node:fs";
import { CfnOutput, Duration, RemovalPolicy, Validations } from "aws-cdk-lib";
import { Effect, ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
	Architecture,
	Code,
	type DockerImageCode,
	DockerImageFunction,
	type FunctionOptions,
	Function as LambdaFunction,
	Runtime,
	Tracing,
} from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { distFolder } from "./examples.ts";

export type McpFunctionProps = {
	/** The name of the example: its built folder `dist` is the function's code, unless it is an image. */
	readonly example: string;
	/** The function's code, where it is an image. */
	readonly image?: DockerImageCode;
	/** The file and its export that Lambda calls, unless it is an image. @default "handler.handler" */
	readonly handler?: string;
	readonly description: string;
	/**
	 * The memory in MB.
	 *
	 * CPU comes with memory: 1,769 MB are one vCPU. Starting a Node.js server takes 150 to 300 ms of a whole CPU, and is what
	 * a request waits for when no server is ready. 1,024 MB keep that to about half a second, and have room for two or three
	 * processes of 80 MB beside the function's own.
	 *
	 * @default 1024
	 */
	readonly memorySizeMb?: number;
	/**
	 * How long an invocation may take.
	 *
	 * The caller gets an error half a second before, so this is how long a tool may take. A tool that needs more than that
	 * is better off with a longer one than with a caller that tries again.
	 *
	 * @default 30
	 */
	readonly timeoutSeconds?: number;
	/**
	 * How many environments there can be at once: a bound to what a runaway caller costs, and to what the API behind the
	 * server gets. Lambda keeps 100 of an account's concurrency unreserved: raise the quota of a new account first.
	 *
	 * @default 10
	 */
	readonly reservedConcurrency?: number;
	readonly environment?: Record<string, string>;
};

/** A function with an MCP server, the log group and role that are its own, and a policy for its callers. */
export class McpFunction extends Construct {
	readonly function: LambdaFunction;
	readonly role: Role;
	readonly logGroup: LogGroup;
	/** Allows to invoke this function, and nothing else. Attach it to whoever may use the server's tools. */
	readonly callerPolicy: ManagedPolicy;

	constructor(scope: Construct, id: string, props: McpFunctionProps) {
		super(scope, id);
		this.logGroup = new LogGroup(this, "Logs", {
			retention: RetentionDays.ONE_MONTH,
			removalPolicy: RemovalPolicy.DESTROY,
		});
		this.role = new Role(this, "Role", {
			assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
			description: `What ${props.example} may do`,
		});
		this.logGroup.grantWrite(this.role);
		const dist = builtFolder(props.example);
		const configuration: FunctionOptions = {
			description: props.description,
			// A fifth cheaper than x86_64 for the same time. Packages with native parts must be installed for it.
			architecture: Architecture.ARM_64,
			memorySize: props.memorySizeMb ?? 1024,
			timeout: Duration.seconds(props.timeoutSeconds ?? 30),
			reservedConcurrentExecutions: props.reservedConcurrency ?? 10,
			...(props.environment && { environment: props.environment }),
			tracing: Tracing.ACTIVE,
			role: this.role,
			logGroup: this.logGroup,
		};
		this.function = props.image
			? new DockerImageFunction(this, "Function", { ...configuration, code: props.image })
			: new LambdaFunction(this, "Function", {
					...configuration,
					code: Code.fromAsset(dist),
					handler: props.handler ?? "handler.handler",
					runtime: Runtime.NODEJS_24_X,
				});
		acknowledgeTracing(this.role);
		this.callerPolicy = new ManagedPolicy(this, "CallerPolicy", {
			description: `Invoke ${props.example}`,
			statements: [
				new PolicyStatement({
					effect: Effect.ALLOW,
					actions: ["lambda:InvokeFunction"],
					resources: [this.function.functionArn],
				}),
			],
		});
		new CfnOutput(this, "FunctionName", { value: this.function.functionName });
		new CfnOutput(this, "CallerPolicyArn", { value: this.callerPolicy.managedPolicyArn });
	}
}

function builtFolder(example: string): string {
	const folder = distFolder(example);
	if (!existsSync(folder)) {
		throw new Error(`${example} is not built: run \`node infrastructure/build.ts ${example}\` in examples/ first`);
	}
	return folder;
}

function acknowledgeTracing(role: Role): void {
	Validations.of(role).acknowledge({
		id: "AwsSolutions-IAM5[Resource::*]",
		reason:
			"xray:PutTraceSegments and xray:PutTelemetryRecords know no resources. Nothing else has the resource *: " +
			"logs are written to the function's own log group.",
	});
}
