import { describe, expect, test } from "vitest";
import { decodeDirect, decodeUnhandled } from "../../src/events/direct.ts";
import type { JsonRpcResponse } from "../../src/jsonrpc.ts";

const request = { jsonrpc: "2.0", id: 0, method: "tools/list" } as const;
/** The messages of an event and the result of responses to them. */
function decode(event: unknown, read = decodeDirect) {
	const decoded = read(event);
	if (!decoded) return undefined;
	if ("answered" in decoded) throw new Error("answered without messages");
	const { messages, reply } = decoded;
	return { messages, encode: (responses: JsonRpcResponse[]) => reply.result(responses, []) };
}

const response = { jsonrpc: "2.0", id: 0, result: {} } as const;

describe("decodeDirect", () => {
	test("takes a request as it is, and its response as the result", () => {
		const decoded = decode(request);
		expect(decoded?.messages).toEqual([{ kind: "request", request }]);
		expect(decoded?.encode([response])).toBe(response);
	});

	test("takes a notification, whose result is empty", () => {
		const notification = { jsonrpc: "2.0", method: "notifications/initialized" };
		const decoded = decode(notification);
		expect(decoded?.messages).toEqual([{ kind: "notification", notification }]);
		expect(decoded?.encode([])).toEqual({});
	});

	test.each([
		["of another version", { ...request, jsonrpc: "1.0" }, 0],
		["without a method", { jsonrpc: "2.0", id: 7 }, 7],
		["that is a response", response, 0],
		["with an id that is none", { ...request, id: null }, null],
		["that is a batch", [request], null],
	])("recognises a message %s as invalid", (_, event, id) => {
		expect(decode(event)?.messages).toMatchObject([{ kind: "invalid", id }]);
	});

	test.each([
		["an empty one", {}],
		["a list of other things", [1, null]],
		["a string", "jsonrpc"],
		["null", null],
	])("leaves other events alone: %s", (_, event) => {
		expect(decodeDirect(event)).toBeUndefined();
		const unhandled = { kind: "invalid", problem: expect.stringContaining("no handler answered the event") };
		expect(decode(event, decodeUnhandled)?.messages).toMatchObject([unhandled]);
	});
});

describe("the event of another service", () => {
	test.each([
		["a schedule", { source: "aws.events", "detail-type": "Scheduled Event", detail: {}, id: "x" }],
		["EventBridge", { version: "0", id: "x", "detail-type": "Order", source: "my.app", detail: {} }],
		["a schedule of EventBridge Scheduler", { source: "aws.scheduler", "detail-type": "Scheduled Event" }],
		["SQS", { Records: [{ messageId: "1", eventSource: "aws:sqs", body: JSON.stringify(request) }] }],
		["SNS", { Records: [{ EventSource: "aws:sns", Sns: { Message: "{}" } }] }],
		["S3", { Records: [{ eventSource: "aws:s3", s3: {} }] }],
		["DynamoDB", { Records: [{ eventSource: "aws:dynamodb", dynamodb: {} }] }],
		["Kinesis", { Records: [{ eventSource: "aws:kinesis", kinesis: {} }] }],
		["CloudWatch Logs", { awslogs: { data: "H4sI" } }],
		["an alarm", { source: "aws.cloudwatch", alarmArn: "arn", alarmData: {} }],
		["Cognito", { version: "1", triggerSource: "PreSignUp_SignUp", request: {}, response: {} }],
		["an authorizer's", { type: "TOKEN", methodArn: "arn:aws:execute-api:x", authorizationToken: "t" }],
		["Firehose", { invocationId: "x", deliveryStreamArn: "arn", records: [] }],
		["CodePipeline", { "CodePipeline.job": { id: "x" } }],
		["CloudFormation", { RequestType: "Create", StackId: "arn", ResponseURL: "https://x" }],
		["Kafka", { eventSource: "aws:kafka", records: {} }],
		["Amazon MQ", { eventSource: "aws:rmq", rmqMessagesByQueue: {} }],
		["Secrets Manager", { Step: "createSecret", SecretId: "arn", ClientRequestToken: "t" }],
		["S3 Batch", { invocationSchemaVersion: "1.0", invocationId: "x", job: {}, tasks: [] }],
		["Lex", { sessionState: {}, bot: {} }],
		["Connect", { Name: "ContactFlowEvent", Details: {} }],
		["AppSync", { arguments: {}, info: {}, request: {} }],
		["a web socket", { requestContext: { eventType: "MESSAGE", connectionId: "x" }, body: "{}" }],
		["a warm-up plugin", { source: "serverless-plugin-warmup" }],
	])("is no business of the bridge when no handler answers it: %s", (_, event) => {
		expect(decodeDirect(event)).toBeUndefined();
		expect(decodeUnhandled(event)).toBeUndefined();
	});
});

test("deep nesting is no message, whatever is in it", () => {
	const deep = JSON.parse("[".repeat(6000) + "]".repeat(6000));
	expect(decodeDirect(deep)).toBeUndefined();
	expect(decode(deep, decodeUnhandled)?.messages).toMatchObject([{ kind: "invalid", id: null }]);
	expect(decode({ jsonrpc: "2.0", id: deep, method: "ping" })?.messages).toMatchObject([{ kind: "invalid", id: null }]);
});
