import { isObject } from "../jsonrpc.ts";
import { lambdaLimitBytes } from "./event.ts";
import { apiPath, bodyText, headerLookup, originOf, plainPrelude, plainResult } from "./http.ts";
import type { HttpEvent } from "./http-event.ts";

type Event = {
	readonly httpMethod: string;
	readonly path?: string;
	readonly resource?: string;
	readonly headers?: Readonly<Record<string, string>> | null;
	readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>> | null;
	readonly pathParameters?: Readonly<Record<string, string>> | null;
	readonly body?: string | null;
	readonly isBase64Encoded?: boolean;
	readonly requestContext: { readonly path?: string; readonly domainName?: string; readonly stage?: string };
};

/**
 * The payload format 1.0 of REST APIs, and of HTTP APIs that are set to it:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 */
export function readApiGatewayV1(event: Readonly<Record<string, unknown>>): HttpEvent | undefined {
	const { requestContext } = event;
	if (!isObject(requestContext) || typeof event.httpMethod !== "string" || isObject(requestContext.elb))
		return undefined;
	const {
		httpMethod,
		path = "/",
		resource,
		headers,
		multiValueHeaders,
		pathParameters,
		body,
		isBase64Encoded,
		requestContext: context,
	} = event as Event;
	// `requestContext.path` is what the client wrote, with a stage or the base path of a custom domain. `path` has no stage, except
	// for HTTP APIs, whose events name their version.
	const stage = event.version === "1.0" && context.stage !== "$default" ? context.stage : undefined;
	const own = apiPath(path, resource, pathParameters, stage);
	const asked = context.path ?? path;
	const basePath = asked.endsWith(own.path) ? asked.slice(0, -own.path.length) : own.basePath;
	return {
		request: {
			method: httpMethod,
			path: own.path,
			basePath,
			header: headerLookup(headers, multiValueHeaders),
			body: bodyText(body, isBase64Encoded),
			ownOrigin: originOf(context.domainName),
		},
		result: plainResult,
		prelude: plainPrelude,
		limitBytes: lambdaLimitBytes,
	};
}
