import middy7 from "@middy/core";
import type { Context } from "aws-lambda";
import middy6 from "middy-core-6";

/** For `describe.each`: the middleware keeps its promises with every Middy that it can be used with. */
export const middys: readonly { readonly name: string; readonly middy: typeof middy7 }[] = [
	{ name: "Middy 7", middy: middy7 },
	{ name: "Middy 6", middy: middy6 as unknown as typeof middy7 },
];

/** Lambda's context of an invocation that has this much time. */
export function lambdaContext(remainingMs = 20_000, awsRequestId = "invocation-1"): Context {
	const dueAt = Date.now() + remainingMs;
	return {
		awsRequestId,
		functionName: "everything",
		functionVersion: "$LATEST",
		invokedFunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:everything",
		memoryLimitInMB: "1024",
		getRemainingTimeInMillis: () => dueAt - Date.now(),
	} as Context;
}
