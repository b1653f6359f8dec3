import { createSigV4Fetch } from "../../src/client/index.ts";
import type { LocalFrontOptions } from "../../src/local/index.ts";
import { fixture, type Runtime, startLambda, type TestLambda } from "../local/lambda.ts";
import { type AnyClient, connect, type Sdk, sdks } from "./clients.ts";
import { mcpFunction } from "./function.ts";

const iam = { accessKeyId: "AKIDLOCAL", secretAccessKey: "local secret" };
const signedFetch = createSigV4Fetch({ service: "lambda", region: "us-east-1", credentials: iam });

/** A function's ways in by HTTP: buffered, and streaming where AWS has that. */
export const fronts: { readonly [name: string]: LocalFrontOptions } = {
	functionUrl: { kind: "functionUrl", functionName: "whole" },
	signedFunctionUrl: { kind: "functionUrl", functionName: "whole", iam },
	streamingFunctionUrl: { kind: "functionUrl", functionName: "streams", streaming: true },
	httpApi: { kind: "httpApi", functionName: "whole", stage: "live" },
	restApi: { kind: "restApi", functionName: "whole" },
	streamingRestApi: { kind: "restApi", functionName: "streams", streaming: true },
	loadBalancer: { kind: "loadBalancer", functionName: "whole" },
	multiValueLoadBalancer: { kind: "loadBalancer", functionName: "whole", multiValueHeaders: true },
};

type Pair = readonly [front: string, sdkName: string, sdk: Sdk];

/** Each front with each client. */
export const combinations: readonly Pair[] = Object.keys(fronts).flatMap((name) =>
	sdks.map((sdk): Pair => [name, sdk.name, sdk]),
);

/** Each front, and each client about as often. */
export const pairs: readonly Pair[] = combinations.filter(
	(_, index) => index % sdks.length === Math.floor(index / sdks.length) % sdks.length,
);

/** A server behind all of them. */
export function startFronts(
	server: string,
	{ runtime }: Pick<Runtime, "runtime">,
	context?: Parameters<typeof startLambda>[2],
): Promise<TestLambda> {
	const functions = {
		whole: mcpFunction(server, "environment", { runtime }, { handler: fixture("middleware.mjs") }),
		streams: mcpFunction(server, "environment", { runtime }, { handler: fixture("middleware-streaming.mjs") }),
	};
	return startLambda(functions, { fronts }, context);
}

export function connectTo(lambda: TestLambda, front: string, sdk: Sdk): Promise<AnyClient> {
	const fetch = fronts[front]?.iam ? (signedFetch as typeof globalThis.fetch) : undefined;
	return connect(sdk, sdk.http(`${lambda.urls[front]}mcp`, fetch));
}
