import { isObject } from "../jsonrpc.ts";

/**
 * What API Gateway's authorizers have found out about a caller. Of an event that is no request of API Gateway or a Function URL
 * nothing must be believed: at AgentCore's Lambda targets the event is what the caller wrote.
 */
export function claimsOf({
	authorizer,
}: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined {
	if (!isObject(authorizer)) return undefined;
	if (isObject(authorizer.jwt)) return isObject(authorizer.jwt.claims) ? authorizer.jwt.claims : undefined;
	return [authorizer.claims, authorizer.lambda, authorizer].find((claims) => isObject(claims));
}
