import { isObject } from "../jsonrpc.ts";
import { lambdaLimitBytes } from "./event.ts";
import { bodyText, headerLookup, plainPrelude, plainResult } from "./http.ts";
import type { HttpEvent } from "./http-event.ts";

type Event = {
	readonly method: string;
	readonly path?: string;
	readonly headers?: Readonly<Record<string, readonly string[]>>;
	readonly body?: string;
	readonly isBase64Encoded?: boolean;
};

/** The event of VPC Lattice, version 2.0: https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html */
export function readLattice(event: Readonly<Record<string, unknown>>): HttpEvent | undefined {
	const { requestContext } = event;
	if (!isObject(requestContext) || typeof requestContext.serviceArn !== "string" || typeof event.method !== "string")
		return undefined;
	const { method, path = "/", headers, body, isBase64Encoded } = event as Event;
	return {
		request: {
			method,
			path: path.split("?")[0] ?? "/",
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
