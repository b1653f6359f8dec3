import { once } from "node:events";
import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { createEventStream, type EventStream } from "../../../src/local/front/event-stream.ts";

const piece = Buffer.alloc(1024 * 1024);

/** An event stream whose client has read nothing but the headers. */
async function openStream(): Promise<{ readonly stream: EventStream; readonly incoming: IncomingMessage }> {
	const server = createServer({ keepAlive: false }).listen(0, "127.0.0.1");
	onTestFinished(() => void server.close().closeAllConnections());
	await once(server, "listening");
	const answered = once(get({ port: (server.address() as AddressInfo).port, agent: false }), "response");
	const [, response] = (await once(server, "request")) as [IncomingMessage, ServerResponse];
	const stream = createEventStream(response);
	stream.start(undefined);
	const [incoming] = (await answered) as [IncomingMessage];
	incoming.on("error", () => {});
	return { stream, incoming };
}

/** Writes until a piece is not taken. */
async function fill(stream: EventStream): Promise<{ readonly writing: Promise<void> }> {
	for (let count = 0; count < 200; count++) {
		let taken = false;
		const writing = stream.write(piece).then(() => {
			taken = true;
		});
		for (let turns = 0; turns < 50 && !taken; turns++) await setImmediate();
		if (!taken) return { writing };
	}
	throw new Error("200 MB were taken that nobody reads");
}

describe("an event stream", () => {
	test.each<[string, (incoming: IncomingMessage) => void]>([
		["reads on", (incoming) => incoming.resume()],
		["goes away", (incoming) => incoming.destroy()],
	])("takes no more than fits until its client %s", async (_what, act) => {
		const { stream, incoming } = await openStream();
		const { writing } = await fill(stream);
		act(incoming);
		await writing;
	});

	test("drops what is written after its end", async () => {
		const { stream, incoming } = await openStream();
		stream.end({ ErrorCode: "Over" });
		await stream.write(piece);
		incoming.setEncoding("latin1");
		let text = "";
		for await (const chunk of incoming) text += chunk;
		expect(text).toContain('{"ErrorCode":"Over"}');
		expect(text).not.toContain("PayloadChunk");
	});
});
