import type { ResolvedHttpOptions } from "../http/options.ts";
import { isObject } from "../jsonrpc.ts";
import { decodeAgentCore, type InvocationFacts } from "./agentcore.ts";
import { readLoadBalancer } from "./alb.ts";
import { readApiGatewayV1 } from "./api-gateway-v1.ts";
import { readApiGatewayV2 } from "./api-gateway-v2.ts";
import { decodeDirect } from "./direct.ts";
import type { DecodedEvent } from "./event.ts";
import { decodeHttp, type HttpEvent } from "./http-event.ts";
import { readLattice } from "./lattice.ts";

const readers = [readApiGatewayV2, readApiGatewayV1, readLoadBalancer, readLattice];

/**
 * Asks each source in turn whether an event is one of its own; `undefined` when it is not MCP's at all. AgentCore Gateway comes
 * first: it is known by the client context, and its events, the arguments of tools, may look like those of any other source.
 */
export function decodeEvent(
	event: unknown,
	http: ResolvedHttpOptions,
	facts: InvocationFacts = {},
): DecodedEvent | undefined {
	const call = decodeAgentCore(event, facts);
	if (call) return call;
	const request = readHttpEvent(event);
	return request ? decodeHttp(request, http) : decodeDirect(event);
}

/** An HTTP request, whichever front has made the event of it; `undefined` for what is none. */
export function readHttpEvent(event: unknown): HttpEvent | undefined {
	if (!isObject(event) || event.requestContext === undefined) return undefined;
	for (const read of readers) {
		const request = read(event);
		if (request) return request;
	}
	return undefined;
}
