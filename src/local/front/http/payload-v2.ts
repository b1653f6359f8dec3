import { isObject } from "../../../jsonrpc.ts";
import { eventBody } from "./body.ts";
import type { HttpAnswer, HttpHead, HttpRequest } from "./front.ts";
import { allValues, forwarded, lowerCase, queryLines } from "./headers.ts";
import type { ResolvedFront } from "./options.ts";
import { bodyOf, cookieLines, headerLines, statusOf, withContentType } from "./result.ts";

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (value: number): string => String(value).padStart(2, "0");

/** As in an access log: `12/Mar/2020:19:03:58 +0000`. */
export function logTime(time: Date): string {
	const date = `${two(time.getUTCDate())}/${months[time.getUTCMonth()]}/${time.getUTCFullYear()}`;
	return `${date}:${[time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds()].map(two).join(":")} +0000`;
}

/**
 * The event of Function URLs, and of HTTP APIs with the payload format 2.0.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-request-payload
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function eventV2(request: HttpRequest, { stage, accountId, iam }: ResolvedFront, domainName: string): object {
	const { method, path, query, header, accessKeyId } = request;
	const lines = lowerCase([...request.headers, ...forwarded(request)]).filter(([name]) => name !== "cookie");
	const parameters = Object.entries(allValues(queryLines(query)));
	const cookies = header.cookie?.split(/;\s*/).filter((cookie) => cookie !== "");
	const [apiId = ""] = domainName.split(".");
	return {
		version: "2.0",
		routeKey: "$default",
		rawPath: path,
		rawQueryString: query,
		...(cookies && { cookies }),
		headers: Object.fromEntries(Object.entries(allValues(lines)).map(([name, values]) => [name, values.join(",")])),
		...(parameters.length > 0 && {
			queryStringParameters: Object.fromEntries(parameters.map(([name, values]) => [name, values.join(",")])),
		}),
		requestContext: {
			accountId: iam ? accountId : "anonymous",
			apiId,
			...(iam && {
				authorizer: {
					iam: {
						accessKey: accessKeyId,
						accountId,
						callerId: accessKeyId,
						cognitoIdentity: null,
						principalOrgId: null,
						userArn: `arn:aws:iam::${accountId}:user/local`,
						userId: accessKeyId,
					},
				},
			}),
			domainName,
			domainPrefix: apiId,
			http: {
				method,
				path,
				protocol: "HTTP/1.1",
				sourceIp: request.sourceIp,
				userAgent: header["user-agent"] ?? "",
			},
			requestId: request.requestId,
			routeKey: "$default",
			stage,
			time: logTime(request.time),
			timeEpoch: request.time.getTime(),
		},
		...(request.body.length > 0 ? eventBody(request) : { isBase64Encoded: false }),
	};
}

/** What has no status code is the body of a 200. */
export function answerV2(result: unknown): HttpAnswer | undefined {
	if (!isObject(result) || result.statusCode === undefined) {
		const body = typeof result === "string" ? result : JSON.stringify(result);
		return { status: 200, headers: [["Content-Type", "application/json"]], body };
	}
	const head = headV2(result);
	const body = bodyOf(result.body, result.isBase64Encoded);
	return head && body && { ...head, headers: withContentType(head.headers, "application/json"), body };
}

export function headV2(prelude: unknown): HttpHead | undefined {
	if (!isObject(prelude)) return undefined;
	const status = prelude.statusCode === undefined ? 200 : statusOf(prelude.statusCode);
	const headers = headerLines(prelude.headers);
	const cookies = cookieLines(prelude.cookies);
	return status !== undefined && headers && cookies ? { status, headers: [...headers, ...cookies] } : undefined;
}
