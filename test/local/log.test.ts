import { PassThrough } from "node:stream";
import { describe, expect, test, vi } from "vitest";
import { createFailurePrinter, type LocalLambdaLog, printLog, readLines } from "../../src/local/log.ts";
import { misbehaves, startLambda } from "./lambda.ts";

/** What is written to stderr meanwhile. */
async function printed(work: () => unknown): Promise<string> {
	let text = "";
	const write = vi.spyOn(process.stderr, "write").mockImplementation((chunk) => {
		text += chunk;
		return true;
	});
	await work();
	write.mockRestore();
	return text;
}

const line = (message: string, source: LocalLambdaLog["source"] = "stdout"): LocalLambdaLog => ({
	functionName: "echo",
	logStreamName: "stream",
	requestId: "1",
	source,
	message,
});

test("printLog prints each line with its function", async () => {
	expect(await printed(() => printLog(line("hello")))).toBe("echo | hello\n");
});

describe("without onLog", () => {
	test("the log of an invocation that failed is printed, and no other", async () => {
		const print = createFailurePrinter();
		const text = await printed(() => {
			print(line("fine"));
			print(line("REPORT RequestId: 1\tDuration: 1.00 ms", "platform"));
			print(line("the cause", "stderr"));
			print(line("REPORT RequestId: 2\tDuration: 1.00 ms\tStatus: timeout", "platform"));
		});
		expect(text).not.toContain("fine");
		expect(text.split("\n")[0]).toContain("failed; the end of its log follows (onLog: printLog prints all of it)");
		expect(text).toContain("echo | the cause\n");
	});

	test("of a very long log the end is printed", async () => {
		const print = createFailurePrinter();
		const text = await printed(() => {
			for (let index = 0; index < 1000; index += 1) print(line(`line ${index} ${"x".repeat(10_000)}`));
			print(line("INIT_REPORT Init Duration: 1.00 ms\tPhase: init\tStatus: error\tError Type: x", "platform"));
		});
		expect(text).toContain("line 999 ");
		expect(text).not.toContain("line 900 ");
		expect(text.length).toBeLessThan(100_000);
	});
});

test("a line without end is read in linear time, cut, and does not stop what follows", async () => {
	const stream = new PassThrough();
	const lines: string[] = [];
	readLines(stream, (text) => lines.push(text));
	const chunk = Buffer.alloc(64 * 1024, "x");
	for (let count = 0; count < 320; count += 1) stream.write(chunk);
	stream.write("\nnext\nlast");
	stream.end();
	await vi.waitFor(() => expect(lines).toContain("next"));
	expect(lines[0]).toMatch(/^x+… \(a line of more than 1048576 bytes\)$/);
});

test("characters are whole however their bytes are cut", async () => {
	const stream = new PassThrough();
	const lines: string[] = [];
	const flush = readLines(stream, (text) => lines.push(text));
	for (const byte of Buffer.from("ünï👩‍👩‍👧‍👦\nrest")) stream.write(Buffer.of(byte));
	await vi.waitFor(() => expect(lines).toEqual(["ünï👩‍👩‍👧‍👦"]));
	flush();
	expect(lines).toEqual(["ünï👩‍👩‍👧‍👦", "rest"]);
});

test("a handler that is not there is named with its absolute path", async (context) => {
	const lambda = await startLambda({ none: { handler: "/no/such/handler.mjs" } }, {}, context);
	await lambda.invoke("none");
	expect(lambda.logs.map(({ message }) => message)).toContain(
		"There is no file /no/such/handler.mjs, which the handler names",
	);
});

test("the memory that is reported is that of all processes", async (context) => {
	const handler = { handler: misbehaves, exportName: "keepsHeavyChild", timeoutMs: 100_000 };
	const lambda = await startLambda({ it: handler }, {}, context);
	const reported = async (event: object) => {
		const { log } = await lambda.invoke("it", event, { LogType: "Tail" });
		return Number(/Max Memory Used: (\d+) MB/.exec(log)?.[1]);
	};
	const alone = await reported({});
	expect(alone).toBeGreaterThan(10);
	expect(await reported({ start: true })).toBeGreaterThan(alone + 90);
});
