import { isObject } from "../jsonrpc.ts";
import { claimsOf } from "./claims.ts";
import { lambdaLimitBytes } from "./event.ts";
import { apiPath, bodyText, headerLookup, originOf, plainPrelude, plainResult, textOr } from "./http.ts";
import type { HttpEvent } from "./http-event.ts";

/**
 * The payload format 2.0 of HTTP APIs and Function URLs:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function readApiGatewayV2(event: Readonly<Record<string, unknown>>): HttpEvent | undefined {
	const { requestContext: context } = event;
	if (!isObject(context) || !isObject(context.http) || typeof context.http.method !== "string") return undefined;
	const { cookies, headers, pathParameters } = event;
	const stage = context.stage === "$default" ? undefined : textOr(context.stage, undefined);
	const route = textOr(event.routeKey, undefined)?.split(" ")[1];
	const path = textOr(event.rawPath, textOr(context.http.path, "/"));
	return {
		request: {
			method: context.http.method,
			...apiPath(path, route, pathParameters, stage),
			header: headerLookup(Array.isArray(cookies) ? { cookie: cookies.join("; ") } : undefined, headers),
			body: bodyText(event.body, event.isBase64Encoded),
			ownOrigin: originOf(context.domainName),
		},
		result: plainResult,
		prelude: plainPrelude,
		claims: claimsOf(context),
		limitBytes: lambdaLimitBytes,
	};
}
