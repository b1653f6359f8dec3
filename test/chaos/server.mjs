// A server that does, for each call, what the call asks of it: one of many ways to misbehave. What it really did is written, a
// line each, to the file in CHAOS_LEDGER.
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";

const write = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const result = (id, nonce) => ({ id, result: { content: [{ type: "text", text: nonce }] } });
const later = (ms, work) => setTimeout(work, ms);

/** What a call can ask for; each gets the id, the call's nonce, and its progress token. */
const ways = {
	answer: (id, nonce) => write(result(id, nonce)),
	answerSlowly: (id, nonce) => later(30, () => write(result(id, nonce))),
	answerTwice: (id, nonce) => [write(result(id, nonce)), write(result(id, nonce))],
	answerAsString: (id, nonce) => write(result(String(id), nonce)),
	answerInBatch: (id, nonce) => process.stdout.write(`${JSON.stringify([{ jsonrpc: "2.0", ...result(id, nonce) }])}\n`),
	answerInPieces: (id, nonce) => {
		const line = `${JSON.stringify({ jsonrpc: "2.0", ...result(id, nonce) })}\n`;
		process.stdout.write(line.slice(0, 20));
		later(5, () => process.stdout.write(line.slice(20)));
	},
	answerWithBanner: (id, nonce) =>
		process.stdout.write(`ready> ${JSON.stringify({ jsonrpc: "2.0", ...result(id, nonce) })}\n`),
	answerWithTrailer: (id, nonce) =>
		process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...result(id, nonce) })} done\n`),
	answerWithNulls: (id, nonce) => write({ ...result(id, nonce), error: null }),
	answerUnreadably: (id) => process.stdout.write(`{"jsonrpc":"2.0","id":${id},"result":{"n":NaN}}\n`),
	answerEmpty: (id) => write({ id }),
	answerDeep: (id) =>
		process.stdout.write(`{"jsonrpc":"2.0","id":${id},"result":{"d":${"[".repeat(20_000)}${"]".repeat(20_000)}}}\n`),
	answerError: (id, nonce) => write({ id, error: { code: -32000, message: nonce } }),
	answerOtherId: (id, nonce) => [write(result(id + 100_000, "wrong")), write(result(id, nonce))],
	answerLarge: (id, nonce) =>
		write({ id, result: { content: [{ type: "text", text: nonce }], x: "x".repeat(200_000) } }),
	answerAfterNoise: (id, nonce) => [process.stdout.write("noise\n".repeat(2000)), write(result(id, nonce))],
	answerAfterStderr: (id, nonce) => [process.stderr.write("line\n".repeat(500)), write(result(id, nonce))],
	answerWithProgress: (id, nonce, progressToken) => {
		for (let progress = 0; progress < 5; progress += 1)
			write({ method: "notifications/progress", params: { progressToken, progress } });
		write(result(id, nonce));
	},
	answerThenExit: (id, nonce) => [write(result(id, nonce)), later(1, () => process.exit(0))],
	asksFirst: (id, nonce) => [
		write({ id: `ask ${id}`, method: "roots/list" }),
		later(5, () => write(result(id, nonce))),
	],
	neverAnswers: () => {},
	exits: () => process.exit(3),
	throws: () => {
		throw new Error("as asked");
	},
	dies: () => process.kill(process.pid, "SIGKILL"),
	stops: () => process.kill(process.pid, "SIGSTOP"),
	closesOutput: () => process.stdout.end(),
	breaksOff: (id) => [process.stdout.write(`{"jsonrpc":"2.0","id":${id},"res`), later(1, () => process.exit(1))],
	blocks: () => {
		for (const until = Date.now() + 1500; Date.now() < until; );
	},
	floods: () => setInterval(() => process.stdout.write("y\n".repeat(2000)), 1),
	floodsStderr: () => setInterval(() => process.stderr.write("y\n".repeat(500)), 2),
	ignoresTheEnd: () => [process.on("SIGTERM", () => {}), process.stdin.resume(), setInterval(() => {}, 1000)],
};

if (process.argv[2] === "--ways") process.stdout.write(JSON.stringify(Object.keys(ways)));
else listen();

function listen() {
	createInterface({ input: process.stdin }).on("line", (line) => {
		const { id, method, params } = JSON.parse(line);
		if (id === undefined || method === undefined) return;
		if (method === "initialize") {
			const { protocolVersion } = params;
			write({
				id,
				result: { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "chaos", version: "1" } },
			});
		} else if (method === "tools/call") {
			const { way, nonce } = params.arguments;
			appendFileSync(process.env.CHAOS_LEDGER, `${nonce}\n`);
			ways[way](id, nonce, params._meta?.progressToken);
		} else write({ id, result: {} });
	});
	// A fixture must not outlive a run that is killed.
	setTimeout(() => process.exit(124), 120_000).unref();
}
