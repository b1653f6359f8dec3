import { isObject } from "../../../jsonrpc.ts";
import { eventBody } from "./body.ts";
import type { HttpAnswer, HttpFront, HttpRequest } from "./front.ts";
import { allValues, forwarded, lastValues, lowerCase, rawQueryLines } from "./headers.ts";
import type { ResolvedFront } from "./options.ts";
import { bodyOf, headerLines, multiValueHeaderLines, statusOf } from "./result.ts";

/** Both ways: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html */
const maxBytes = 1024 * 1024;

const page = (status: number, reason: string): HttpAnswer => ({
	status,
	headers: [["Content-Type", "text/html"]],
	body: `<html>\r\n<head><title>${status} ${reason}</title></head>\r\n<body>\r\n<center><h1>${status} ${reason}</h1></center>\r\n</body>\r\n</html>\r\n`,
});

/** An Application Load Balancer whose target group is the function. */
export function loadBalancer({ multiValueHeaders, region, accountId }: ResolvedFront): HttpFront {
	const targetGroupArn = `arn:aws:elasticloadbalancing:${region}:${accountId}:targetgroup/local/0123456789abcdef`;
	return {
		maxRequestBytes: maxBytes,
		basePath: "/",
		event: (request) => event(request, multiValueHeaders, targetGroupArn),
		answer: (result) => answer(result, multiValueHeaders),
		head: () => undefined,
		rawHead: () => undefined,
		integrationTimeoutMs: undefined,
		idleTimeoutMs: undefined,
		answers: {
			failed: page(502, "Bad Gateway"),
			timedOut: page(502, "Bad Gateway"),
			throttled: page(502, "Bad Gateway"),
			tooLarge: page(413, "Request Entity Too Large"),
			notFound: page(404, "Not Found"),
			forbidden: page(403, "Forbidden"),
		},
	};
}

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html#receive-event-from-load-balancer */
function event(request: HttpRequest, multiValueHeaders: boolean, targetGroupArn: string): object {
	const headers = lowerCase([...request.headers, ...forwarded(request)]);
	// What was encoded stays so.
	const parameters = rawQueryLines(request.query);
	return {
		requestContext: { elb: { targetGroupArn } },
		httpMethod: request.method,
		path: request.path,
		...(multiValueHeaders
			? { multiValueQueryStringParameters: allValues(parameters), multiValueHeaders: allValues(headers) }
			: { queryStringParameters: lastValues(parameters), headers: lastValues(headers) }),
		...(request.body.length > 0 ? eventBody(request) : { body: "", isBase64Encoded: false }),
	};
}

/** In either mode the members of the other one are not looked at. */
function answer(result: unknown, multiValueHeaders: boolean): HttpAnswer | undefined {
	if (!isObject(result)) return undefined;
	const status = statusOf(result.statusCode);
	const headers = multiValueHeaders ? multiValueHeaderLines(result.multiValueHeaders) : headerLines(result.headers);
	const body = bodyOf(result.body, result.isBase64Encoded);
	if (status === undefined || !headers || !body || body.length > maxBytes) return undefined;
	return { status, headers, body };
}
