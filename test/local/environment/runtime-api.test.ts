import { once } from "node:events";
import { type ClientRequest, get, type IncomingMessage, request } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import type { RuntimeAnswer } from "../../../src/local/environment/runtime-answer.ts";
import { type RuntimeApi, startRuntimeApi } from "../../../src/local/environment/runtime-api.ts";
import { until } from "../lambda.ts";

type Seen = { readonly api: RuntimeApi; readonly happened: (RuntimeAnswer | "ready")[]; readonly pieces: string[] };

const path = "/2018-06-01/runtime/invocation";

async function startApi(): Promise<Seen> {
	const happened: Seen["happened"] = [];
	const api = await startRuntimeApi({
		onReady: () => happened.push("ready"),
		onAnswer: (answer) => happened.push(answer),
		onInitError: () => {},
	});
	onTestFinished(() => api.close());
	return { api, happened, pieces: [] };
}

function askForNext({ api }: Seen): ClientRequest {
	return get(`http://${api.address}${path}/next`, { agent: false }).on("error", () => {});
}

/** Gives the runtime an invocation, whose stream goes to `pieces`. */
async function invoke(seen: Seen): Promise<void> {
	const asked = askForNext(seen);
	const answered = once(asked, "response");
	await until(() => seen.happened.at(-1) === "ready", "the runtime is ready");
	const payload = Buffer.from("{}");
	const invocation = {
		requestId: "id",
		invokedFunctionArn: "arn",
		traceId: "",
		clientContext: undefined,
		tenantId: undefined,
		payload,
	};
	seen.api.deliver(invocation, Date.now() + 1000, {
		start: () => {},
		write: async (piece) => void seen.pieces.push(piece.toString()),
	});
	const [response] = (await answered) as [IncomingMessage];
	response.resume();
}

function openResponse({ api }: Seen): ClientRequest {
	const headers = {
		"Lambda-Runtime-Function-Response-Mode": "streaming",
		"Transfer-Encoding": "chunked",
		Trailer: "Lambda-Runtime-Function-Error-Type",
	};
	return request(`http://${api.address}${path}/id/response`, { method: "POST", agent: false, headers }).on(
		"error",
		() => {},
	);
}

test("a runtime that asks for the next invocation before its stream has arrived waits until it has", async () => {
	const seen = await startApi();
	await invoke(seen);
	const asked = askForNext(seen);
	await once(asked, "finish");
	// A request that the API has answered came after the one that it holds.
	await once(get(`http://${seen.api.address}/`, { agent: false }), "response");
	expect(seen.happened).toEqual(["ready"]);
	const response = openResponse(seen);
	response.write("piece");
	await until(() => seen.pieces.length === 1, "the piece has arrived");
	expect(seen.happened).toEqual(["ready"]);
	response.end();
	await until(() => seen.happened.length === 3, "the stream has ended");
	expect(seen.happened).toEqual(["ready", { kind: "streamed", error: undefined }, "ready"]);
});

test("an error without a body is its type", async () => {
	const seen = await startApi();
	await invoke(seen);
	const response = openResponse(seen);
	response.addTrailers({ "Lambda-Runtime-Function-Error-Type": "Odd" });
	response.end();
	await until(() => seen.happened.length === 2, "the stream has ended");
	expect(seen.happened[1]).toEqual({
		kind: "streamed",
		error: { errorType: "Odd", body: Buffer.from('{"errorType":"Odd"}') },
	});
});

test("a connection that breaks truncates the stream", async () => {
	const seen = await startApi();
	await invoke(seen);
	const response = openResponse(seen);
	response.write("piece");
	await until(() => seen.pieces.length === 1, "the piece has arrived");
	response.destroy();
	await until(() => seen.happened.length === 2, "the stream has ended");
	expect(seen.happened[1]).toEqual({ kind: "truncated" });
});
