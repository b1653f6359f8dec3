import { isObject, receiveMessage } from "../jsonrpc.ts";
import { type DecodedEvent, lambdaLimitBytes, type Reply } from "./event.ts";

// `{}` answers a notification: a function always returns something.
const reply: Reply = {
	result: ([response]) => response ?? {},
	takesNotifications: false,
	limitBytes: lambdaLimitBytes,
	isResult: () => false,
	stream: {
		whole: ([response]) => (response ? toLine(response) : "{}"),
		streaming: (body) => body,
		frame: toLine,
		keepAlive: undefined,
	},
};

/** A message as a line, as in MCP's stdio transport: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio */
function toLine(message: unknown): string {
	return `${JSON.stringify(message)}\n`;
}

/** A direct invocation: the event is the JSON-RPC message, the result its response. `undefined` for any other event. */
export function decodeDirect(event: unknown): DecodedEvent | undefined {
	return isAddressed(event) ? { messages: [receiveMessage(event)], reply } : undefined;
}

/**
 * Reads an event that no source has recognised and no handler has answered as an invalid message, so that its sender is told;
 * `undefined` for the event of another service, which the handler may have dealt with by returning nothing.
 */
export function decodeUnhandled(event: unknown): DecodedEvent | undefined {
	if (isOfAnotherService(event)) return undefined;
	const message = receiveMessage(event);
	if (message.kind !== "invalid") return { messages: [message], reply };
	const problem = `${message.problem}, and no handler answered the event`;
	return { messages: [{ ...message, problem }], reply };
}

/** Whether an event means to be JSON-RPC, even if it is no valid message. A batch is recognised, to be refused. */
function isAddressed(event: unknown): boolean {
	const items = Array.isArray(event) ? event : [event];
	return items.some((item) => isObject(item) && "jsonrpc" in item);
}

/** Members that tell an event of AWS's services: https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html */
const marks: readonly (readonly string[])[] = [
	["Records"], // SQS, SNS, S3, DynamoDB, Kinesis, SES, CodeCommit, CloudFront
	["source", "detail-type"], // EventBridge, schedules
	["awslogs"], // CloudWatch Logs
	["triggerSource"], // Cognito
	["requestContext"], // HTTP fronts and web sockets
	["methodArn"], // authorizers of API Gateway
	["routeArn"],
	["deliveryStreamArn"], // Firehose
	["invocationId", "records"],
	["CodePipeline.job"],
	["RequestType", "StackId"], // CloudFormation
	["eventSource", "records"], // Kafka
	["eventSource", "rmqMessagesByQueue"], // MQ
	["eventSource", "messages"],
	["eventSourceARN"], // DocumentDB
	["Step", "SecretId"], // Secrets Manager's rotation
	["tasks", "invocationSchemaVersion"], // S3 Batch
	["getObjectContext"], // S3 Object Lambda
	["sessionState"], // Lex
	["currentIntent"],
	["Details", "Name"], // Connect
	["fieldName", "typeName"], // Amplify
	["info", "arguments"], // AppSync
	["invokingEvent"], // Config
	["alarmArn"], // CloudWatch alarms
	["messageVersion", "agent"], // Bedrock agents
	["session", "request", "context"], // Alexa
	["warmup"],
	["warmer"],
];

const warmers: ReadonlySet<unknown> = new Set(["serverless-plugin-warmup"]);

function isOfAnotherService(event: unknown): boolean {
	if (!isObject(event)) return false;
	return marks.some((names) => names.every((name) => name in event)) || warmers.has(event.source);
}
