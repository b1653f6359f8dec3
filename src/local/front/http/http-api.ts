import { type HttpFront, json } from "./front.ts";
import type { ResolvedFront } from "./options.ts";
import { answerV2, eventV2, headV2 } from "./payload-v2.ts";

/**
 * An HTTP API whose route `$default` is integrated with the function.
 *
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function httpApi(front: ResolvedFront): HttpFront {
	const basePath = front.stage === "$default" ? "/" : `/${front.stage}/`;
	return {
		// API Gateway takes 10 MB; the event must fit into Lambda's 6.
		maxRequestBytes: 6 * 1024 * 1024,
		basePath,
		event: (request) => {
			const isOurs = request.path.startsWith(basePath) || `${request.path}/` === basePath;
			return isOurs ? eventV2(request, front, `localapi.execute-api.${front.region}.amazonaws.com`) : undefined;
		},
		answer: answerV2,
		head: headV2,
		rawHead: () => undefined,
		// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
		integrationTimeoutMs: 30_000,
		idleTimeoutMs: undefined,
		answers: {
			failed: json(500, { message: "Internal Server Error" }),
			timedOut: json(503, { message: "Service Unavailable" }),
			throttled: json(503, { message: "Service Unavailable" }),
			tooLarge: json(413, { message: "Request Entity Too Large" }),
			notFound: json(404, { message: "Not Found" }),
			forbidden: json(403, { message: "Forbidden" }),
		},
	};
}
