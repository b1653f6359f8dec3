import type { LambdaClient } from "@aws-sdk/client-lambda";
import { Client as Client2, type Transport as Transport2 } from "@modelcontextprotocol/client";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import type { Transport as Transport1 } from "@modelcontextprotocol/sdk/shared/transport.js";
import { expectTypeOf, test } from "vitest";
import {
	LambdaFunctionClientTransport,
	type LambdaFunctionParameters,
	type LambdaTransportError,
	type LambdaTransportErrorCode,
} from "../../src/client/index.ts";

const clientInfo = { name: "test", version: "1.0.0" };

test("a transport is one to both SDKs, without a cast", async () => {
	expectTypeOf<LambdaFunctionClientTransport>().toExtend<Transport1>();
	expectTypeOf<LambdaFunctionClientTransport>().toExtend<Transport2>();
	await new Client1(clientInfo).connect(new LambdaFunctionClientTransport({ functionName: "a" }));
	await new Client2(clientInfo).connect(new LambdaFunctionClientTransport({ functionName: "a" }));
	const transport: Transport1 & Transport2 = new LambdaFunctionClientTransport({ functionName: "a" });
	await new Client1(clientInfo).connect(transport);
});

test("the parameters of the reference's transport are parameters, and any of ours may be undefined", () => {
	expectTypeOf<{ functionName: string; regionName?: string }>().toExtend<LambdaFunctionParameters>();
	expectTypeOf<{
		functionName: string;
		qualifier: string | undefined;
		client: LambdaClient | undefined;
		signal: AbortSignal | undefined;
		credentials: undefined;
		retry: { maxAttempts: undefined };
	}>().toExtend<LambdaFunctionParameters>();
	// @ts-expect-error the function's name is needed
	new LambdaFunctionClientTransport({});
	// @ts-expect-error there is no such parameter
	new LambdaFunctionClientTransport({ functionName: "a", region: "eu-west-1" });
});

test("the code of an error is one of a known set", () => {
	expectTypeOf<LambdaTransportError["code"]>().toEqualTypeOf<LambdaTransportErrorCode>();
	expectTypeOf<LambdaTransportError>().toExtend<Error>();
});
