import { isObject } from "../jsonrpc.ts";
import { lambdaLimitBytes } from "./event.ts";
import { apiPath, bodyText, headerLookup, originOf, plainPrelude, plainResult } from "./http.ts";
import type { HttpEvent } from "./http-event.ts";

type Event = {
	readonly rawPath?: string;
	readonly routeKey?: string;
	readonly headers?: Readonly<Record<string, string>> | null;
	readonly cookies?: readonly string[];
	readonly pathParameters?: Readonly<Record<string, string>> | null;
	readonly body?: string;
	readonly isBase64Encoded?: boolean;
	readonly requestContext: {
		readonly http: { readonly method: string; readonly path?: string };
		readonly domainName?: string;
		readonly stage?: string;
	};
};

/**
 * The payload format 2.0 of HTTP APIs and Function URLs:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function readApiGatewayV2(event: Readonly<Record<string, unknown>>): HttpEvent | undefined {
	const { requestContext } = event;
	if (!isObject(requestContext) || !isObject(requestContext.http)) return undefined;
	const {
		rawPath,
		routeKey,
		headers,
		cookies,
		pathParameters,
		body,
		isBase64Encoded,
		requestContext: context,
	} = event as Event;
	const stage = context.stage === "$default" ? undefined : context.stage;
	const route = routeKey?.split(" ")[1];
	return {
		request: {
			method: context.http.method,
			...apiPath(rawPath ?? context.http.path ?? "/", route, pathParameters, stage),
			header: headerLookup(cookies && { cookie: cookies.join("; ") }, headers),
			body: bodyText(body, isBase64Encoded),
			ownOrigin: originOf(context.domainName),
		},
		result: plainResult,
		prelude: plainPrelude,
		limitBytes: lambdaLimitBytes,
	};
}
