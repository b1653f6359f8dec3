import { isObject } from "../jsonrpc.ts";
import { claimsOf } from "./claims.ts";
import { lambdaLimitBytes } from "./event.ts";
import { apiPath, bodyText, headerLookup, originOf, plainPrelude, plainResult, textOr } from "./http.ts";
import type { HttpEvent } from "./http-event.ts";

/**
 * The payload format 1.0 of REST APIs, and of HTTP APIs that are set to it:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 */
export function readApiGatewayV1(event: Readonly<Record<string, unknown>>): HttpEvent | undefined {
	const { requestContext: context, httpMethod } = event;
	if (!isObject(context) || typeof httpMethod !== "string" || isObject(context.elb)) return undefined;
	const path = textOr(event.path, "/");
	// `requestContext.path` is what the client wrote, with a stage or the base path of a custom domain. `path` has no stage, except
	// for HTTP APIs, whose events name their version.
	const hasStage = event.version === "1.0" && context.stage !== "$default";
	const stage = hasStage ? textOr(context.stage, undefined) : undefined;
	const own = apiPath(path, textOr(event.resource, undefined), event.pathParameters, stage);
	const asked = textOr(context.path, path);
	const basePath = asked.endsWith(own.path) ? asked.slice(0, -own.path.length) : own.basePath;
	return {
		request: {
			method: httpMethod,
			path: own.path,
			basePath,
			header: headerLookup(event.headers, event.multiValueHeaders),
			body: bodyText(event.body, event.isBase64Encoded),
			ownOrigin: originOf(context.domainName),
		},
		result: plainResult,
		prelude: plainPrelude,
		claims: claimsOf(context),
		limitBytes: lambdaLimitBytes,
	};
}
