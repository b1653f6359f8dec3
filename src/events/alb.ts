import type { HttpAnswer } from "../http/message.ts";
import { isObject } from "../jsonrpc.ts";
import { bodyText, headerLookup, plainPrelude, plainResult, textOr } from "./http.ts";
import type { HttpEvent } from "./http-event.ts";

// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html: 1 MB, both ways.
const limitBytes = 1024 * 1024;

/**
 * An Application Load Balancer's event. With multi-value headers switched on, it brings and takes `multiValueHeaders` in
 * place of `headers`:
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html#multi-value-headers
 */
export function readLoadBalancer(event: Readonly<Record<string, unknown>>): HttpEvent | undefined {
	const { requestContext } = event;
	if (!isObject(requestContext) || !isObject(requestContext.elb) || typeof event.httpMethod !== "string")
		return undefined;
	const { httpMethod, headers, multiValueHeaders, body, isBase64Encoded } = event;
	return {
		request: {
			method: httpMethod,
			path: textOr(event.path, "/"),
			basePath: "",
			header: headerLookup(headers, multiValueHeaders),
			body: bodyText(body, isBase64Encoded),
			ownOrigin: undefined,
		},
		result: isObject(multiValueHeaders) ? multiValueResult : plainResult,
		prelude: plainPrelude,
		limitBytes,
	};
}

function multiValueResult({ status, headers, body }: HttpAnswer): unknown {
	const multiValueHeaders = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));
	return { statusCode: status, multiValueHeaders, body, isBase64Encoded: false };
}
