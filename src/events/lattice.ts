import { isObject } from "../jsonrpc.ts";
import { lambdaLimitBytes } from "./event.ts";
import { bodyText, headerLookup, plainPrelude, plainResult, textOr } from "./http.ts";
import type { HttpEvent } from "./http-event.ts";

/** The event of VPC Lattice, version 2.0: https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html */
export function readLattice(event: Readonly<Record<string, unknown>>): HttpEvent | undefined {
	const { requestContext } = event;
	if (!isObject(requestContext) || typeof requestContext.serviceArn !== "string" || typeof event.method !== "string")
		return undefined;
	const { method, headers, body, isBase64Encoded } = event;
	return {
		request: {
			method,
			path: textOr(event.path, "/").split("?")[0] ?? "/",
			basePath: "",
			header: headerLookup(headers),
			body: bodyText(body, isBase64Encoded),
			ownOrigin: undefined,
		},
		result: plainResult,
		prelude: plainPrelude,
		limitBytes: lambdaLimitBytes,
	};
}
