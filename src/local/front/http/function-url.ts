import { createHash } from "node:crypto";
import { type HttpAnswer, type HttpFront, type HttpHead, json } from "./front.ts";
import type { ResolvedFront } from "./options.ts";
import { answerV2, eventV2, headV2 } from "./payload-v2.ts";
import { remap } from "./result.ts";

const internalError: HttpAnswer = {
	status: 502,
	headers: [["Content-Type", "application/json"]],
	body: "Internal Server Error",
};

/** https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html */
export function functionUrl(front: ResolvedFront): HttpFront {
	const id = createHash("sha256").update(front.functionName).digest("hex").slice(0, 32);
	const domainName = `${id}.lambda-url.${front.region}.on.aws`;
	const remapHead = <T extends HttpHead>(head: T | undefined): T | undefined =>
		head && { ...head, headers: remap(head.headers) };
	return {
		maxRequestBytes: 6 * 1024 * 1024,
		basePath: "/",
		event: (request) => eventV2(request, front, domainName),
		answer: (result) => remapHead(answerV2(result)),
		head: (prelude) => remapHead(headV2(prelude)),
		rawHead: (contentType = "application/octet-stream") => ({ status: 200, headers: [["Content-Type", contentType]] }),
		integrationTimeoutMs: undefined,
		idleTimeoutMs: undefined,
		answers: {
			failed: internalError,
			timedOut: internalError,
			throttled: json(429, { Reason: "ConcurrentInvocationLimitExceeded", Type: "User", message: "Rate Exceeded." }),
			tooLarge: json(413, { Message: "Request Entity Too Large" }),
			notFound: json(404, { Message: null }),
			forbidden: json(403, { Message: "Forbidden" }),
		},
	};
}
