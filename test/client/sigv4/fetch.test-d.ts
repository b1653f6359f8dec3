import type { FetchLike as FetchLikeV2 } from "@modelcontextprotocol/client";
import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";
import { expectTypeOf, test } from "vitest";
import { createSigV4Fetch } from "../../../src/client/index.ts";

test("is what the MCP SDKs take as fetch, and a fetch", () => {
	const signed = createSigV4Fetch();
	expectTypeOf(signed).toExtend<FetchLike>();
	expectTypeOf(signed).toExtend<FetchLikeV2>();
	expectTypeOf(signed).toExtend<typeof fetch>();
});
