import { describe, expect, test } from "vitest";
import { fixture, rejection, runtimes, startLambda } from "./lambda.ts";

const handler = fixture("tenants.mjs");

describe.each(runtimes)("tenant isolation, with the runtime $name", ({ runtime, skip }) => {
	test.skipIf(skip)("gives each tenant environments of its own, and tells the function who it is", async (context) => {
		const lambda = await startLambda({ it: { handler, tenantIsolation: true, runtime } }, {}, context);
		const seen = async (TenantId: string) => (await lambda.invoke("it", {}, { TenantId })).payload;
		const first = await seen("a");
		expect(first.seen).toEqual(["a"]);
		expect((await seen("b")).seen).toEqual(["b"]);
		expect(await seen("a")).toEqual({ pid: first.pid, seen: ["a", "a"] });
	});
});

test("a call without a tenant, or with one that the function does not ask for, is refused", async (context) => {
	const lambda = await startLambda({ isolated: { handler, tenantIsolation: true }, plain: { handler } }, {}, context);
	expect(await rejection(lambda.invoke("isolated"))).toMatchObject({
		name: "InvalidParameterValueException",
		message: expect.stringContaining("Add a valid tenant ID"),
	});
	expect(await rejection(lambda.invoke("plain", {}, { TenantId: "a" }))).toMatchObject({
		name: "InvalidParameterValueException",
		message: expect.stringContaining("Remove the tenant ID"),
	});
});
