import { isObject } from "../../../jsonrpc.ts";
import { type HttpAnswer, type HttpFront, type HttpHead, type HttpRequest, json } from "./front.ts";
import { allValues, forwarded, lastValues, queryLines } from "./headers.ts";
import type { ResolvedFront } from "./options.ts";
import { logTime } from "./payload-v2.ts";
import { bodyOf, cookieLines, headerLines, multiValueHeaderLines, remap, statusOf, withContentType } from "./result.ts";

const internalError = json(502, { message: "Internal server error" });

/**
 * A REST API whose resource `/{proxy+}` has the proxy integration, without binary media types: bodies are text, both ways.
 *
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 */
export function restApi(front: ResolvedFront): HttpFront {
	const basePath = `/${front.stage}/`;
	return {
		// API Gateway takes 10 MB; the event must fit into Lambda's 6.
		maxRequestBytes: 6 * 1024 * 1024,
		basePath,
		event: (request) => (request.path.startsWith(basePath) ? event(request, front) : undefined),
		answer,
		head,
		// Without the JSON and its delimiter it is no proxy response.
		rawHead: () => undefined,
		// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
		integrationTimeoutMs: 29_000,
		// Of a regional API: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
		idleTimeoutMs: 300_000,
		answers: {
			failed: internalError,
			timedOut: json(504, { message: "Endpoint request timed out" }),
			throttled: json(500, { message: "Internal server error" }),
			tooLarge: json(413, { message: "Request Too Long" }),
			notFound: json(403, { message: "Forbidden" }),
			forbidden: json(403, { message: "Forbidden" }),
		},
	};
}

function event(request: HttpRequest, { stage, accountId, iam, region }: ResolvedFront): object {
	const { method, query, requestId, time } = request;
	const path = request.path.slice(stage.length + 1);
	const headers = [...request.headers, ...forwarded(request)];
	const parameters = queryLines(query);
	const proxy = path.slice(1);
	const resource = proxy === "" ? "/" : "/{proxy+}";
	return {
		resource,
		path,
		httpMethod: method,
		headers: lastValues(headers),
		multiValueHeaders: allValues(headers),
		queryStringParameters: parameters.length > 0 ? lastValues(parameters) : null,
		multiValueQueryStringParameters: parameters.length > 0 ? allValues(parameters) : null,
		pathParameters: proxy === "" ? null : { proxy },
		stageVariables: null,
		requestContext: {
			resourceId: "local",
			resourcePath: resource,
			httpMethod: method,
			extendedRequestId: requestId,
			requestTime: logTime(time),
			path: request.path,
			accountId,
			protocol: "HTTP/1.1",
			stage,
			domainPrefix: "localapi",
			requestTimeEpoch: time.getTime(),
			requestId,
			identity: {
				accessKey: request.accessKeyId ?? null,
				accountId: iam ? accountId : null,
				caller: request.accessKeyId ?? null,
				cognitoAuthenticationProvider: null,
				cognitoAuthenticationType: null,
				cognitoIdentityId: null,
				cognitoIdentityPoolId: null,
				principalOrgId: null,
				sourceIp: request.sourceIp,
				user: request.accessKeyId ?? null,
				userAgent: request.header["user-agent"] ?? null,
				userArn: iam ? `arn:aws:iam::${accountId}:user/local` : null,
			},
			domainName: `localapi.execute-api.${region}.amazonaws.com`,
			apiId: "localapi",
		},
		body: request.body.length > 0 ? request.body.toString("utf8") : null,
		isBase64Encoded: false,
	};
}

/** A body in base64 stays so: without binary media types nothing decodes it. */
function answer(result: unknown): HttpAnswer | undefined {
	if (!isObject(result) || result.statusCode === undefined) return undefined;
	const read = head(result);
	const body = bodyOf(result.body, false);
	return read && body && { ...read, headers: withContentType(read.headers, "application/json"), body };
}

function head(prelude: unknown): HttpHead | undefined {
	if (!isObject(prelude)) return undefined;
	const status = statusOf(prelude.statusCode ?? 200);
	const single = headerLines(prelude.headers);
	const multiple = multiValueHeaderLines(prelude.multiValueHeaders);
	const cookies = cookieLines(prelude.cookies);
	if (status === undefined || !single || !multiple || !cookies) return undefined;
	// Where both name a header, the lists count.
	const named = new Set(multiple.map(([name]) => name.toLowerCase()));
	const lines = [...single.filter(([name]) => !named.has(name.toLowerCase())), ...multiple, ...cookies];
	return { status, headers: remap(lines) };
}
