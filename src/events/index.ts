import type { ResolvedHttpOptions } from "../http/options.ts";
import { isObject } from "../jsonrpc.ts";
import { readLoadBalancer } from "./alb.ts";
import { readApiGatewayV1 } from "./api-gateway-v1.ts";
import { readApiGatewayV2 } from "./api-gateway-v2.ts";
import { decodeDirect } from "./direct.ts";
import type { DecodedEvent } from "./event.ts";
import { decodeHttp } from "./http-event.ts";
import { readLattice } from "./lattice.ts";

const readers = [readApiGatewayV2, readApiGatewayV1, readLoadBalancer, readLattice];

/** Asks each source in turn whether an event is one of its own; `undefined` when it is not MCP's at all. */
export function decodeEvent(event: unknown, http: ResolvedHttpOptions): DecodedEvent | undefined {
	if (!isObject(event) || event.requestContext === undefined) return decodeDirect(event);
	for (const read of readers) {
		const request = read(event);
		if (request) return decodeHttp(request, http);
	}
	return decodeDirect(event);
}
