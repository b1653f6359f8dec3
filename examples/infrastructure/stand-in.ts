import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** An HTTP API on this machine, in the place of one that an example would call. */
export type StandIn = {
	readonly url: string;
	[Symbol.asyncDispose](): Promise<void>;
};

export type StandInAnswer = {
	readonly status?: number;
	readonly type?: string;
	/** Sent as JSON. */
	readonly body: unknown;
};

export async function startStandIn(
	answer: (request: IncomingMessage, url: URL, body: string) => StandInAnswer,
): Promise<StandIn> {
	const server = createServer(async (request, response) => {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk as Buffer);
		const url = new URL(request.url ?? "/", "http://stand-in");
		const { status = 200, type = "application/json", body } = answer(request, url, Buffer.concat(chunks).toString());
		response.writeHead(status, { "content-type": type }).end(JSON.stringify(body));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		[Symbol.asyncDispose]: async () => {
			const closed = new Promise<unknown>((resolve) => server.close(resolve));
			server.closeAllConnections();
			await closed;
		},
	};
}
