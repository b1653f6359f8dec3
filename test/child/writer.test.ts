import { PassThrough, Writable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { createWriter } from "../../src/child/writer.ts";

const turn = () => new Promise(setImmediate);

/** A pipe that takes one write at a time, when the test says so. */
function slowPipe(highWaterMark = 10) {
	const taken: string[] = [];
	const waiting: ((error?: Error) => void)[] = [];
	const pipe = new Writable({
		highWaterMark,
		decodeStrings: false,
		write(chunk: string, _encoding, done) {
			taken.push(chunk);
			waiting.push(done);
		},
	});
	return { pipe, taken, take: (error?: Error) => waiting.shift()?.(error) };
}

/** More than is ever written in one go with others. */
const big = `${"x".repeat(100_000)}\n`;

describe("write", () => {
	test("writes in order", async () => {
		const pipe = new PassThrough();
		const writer = createWriter(pipe);
		const onFailure = vi.fn();
		for (const text of ["a\n", "b\n", "c\n"]) writer.write(text, onFailure);
		await turn();
		expect(pipe.read().toString()).toBe("a\nb\nc\n");
		expect(onFailure).not.toHaveBeenCalled();
	});

	test("says what has been written and what waits for room", async () => {
		const { pipe, taken, take } = slowPipe();
		const writer = createWriter(pipe);
		const writes = [big, "second", "third"].map((text) => writer.write(text, vi.fn()));
		await turn();
		expect(writes.map(({ state }) => state)).toStrictEqual(["written", "queued", "queued"]);
		expect(taken).toStrictEqual([big]);
		take();
		await turn();
		expect(writes.map(({ state }) => state)).toStrictEqual(["written", "written", "written"]);
		take();
		await turn();
		expect(taken.join("")).toBe(`${big}secondthird`);
	});

	test("holds no more than one text beyond the room in the pipe", async () => {
		const { pipe, taken, take } = slowPipe();
		const writer = createWriter(pipe);
		for (let sent = 0; sent < 20; sent += 1) writer.write(big, vi.fn());
		await turn();
		for (let arrived = 1; arrived <= 20; arrived += 1) {
			expect(taken).toHaveLength(arrived);
			expect(pipe.writableLength).toBeLessThanOrEqual(big.length);
			take();
			await turn();
		}
	});

	test("loses, repeats and reorders nothing, whatever the sizes and whatever is withdrawn", async () => {
		const plan = fc.array(fc.tuple(fc.oneof(fc.nat(30), fc.constant(big.length)), fc.boolean(), fc.boolean()), {
			maxLength: 20,
		});
		await fc.assert(
			fc.asyncProperty(plan, async (steps) => {
				const { pipe, taken, take } = slowPipe();
				const writer = createWriter(pipe);
				const onFailure = vi.fn();
				const expected: string[] = [];
				for (const [index, [size, withdrawn, pause]] of steps.entries()) {
					const text = `${index}:${"x".repeat(size)}\n`;
					const write = writer.write(text, onFailure);
					if (!withdrawn || !writer.withdraw(write)) expected.push(text);
					if (pause) {
						take();
						await turn();
					}
				}
				for (let round = 0; round <= steps.length; round += 1) {
					await turn();
					take();
				}
				expect(taken.join("")).toBe(expected.join(""));
				expect(onFailure).not.toHaveBeenCalled();
			}),
			{ numRuns: 100 },
		);
	});
});

describe("withdraw", () => {
	test("takes back what has not been written, once", async () => {
		const { pipe, taken, take } = slowPipe();
		const writer = createWriter(pipe);
		const onFailure = vi.fn();
		const [first, second] = [big, "second", "third"].map((text) => writer.write(text, onFailure));
		await turn();
		expect(second && writer.withdraw(second)).toBe(true);
		expect(second && writer.withdraw(second)).toBe(false);
		expect(second?.state).toBe("withdrawn");
		expect(first && writer.withdraw(first)).toBe(false);
		take();
		await turn();
		expect(taken).toStrictEqual([big, "third"]);
		expect(onFailure).not.toHaveBeenCalled();
	});

	test("is too late for what has been written, even while the pipe has not taken it", async () => {
		const { pipe } = slowPipe();
		const writer = createWriter(pipe);
		const write = writer.write("first", vi.fn());
		await turn();
		expect(writer.withdraw(write)).toBe(false);
		expect(write.state).toBe("written");
	});
});

describe("a pipe that breaks", () => {
	test("fails each text that did not arrive, once, and none that did", async () => {
		const { pipe, take } = slowPipe();
		const writer = createWriter(pipe);
		const failures = [big, big, "third", "fourth"].map((text) => {
			const onFailure = vi.fn();
			return { write: writer.write(text, onFailure), onFailure };
		});
		await turn();
		take();
		await turn();
		expect(failures.map(({ write }) => write.state)).toStrictEqual(["written", "written", "queued", "queued"]);
		take(new Error("write EPIPE"));
		await turn();
		const calls = failures.map(({ onFailure }) => onFailure.mock.calls.length);
		expect(calls).toStrictEqual([0, 1, 1, 1]);
		expect(failures.map(({ write }) => write.state)).toStrictEqual(["written", "failed", "failed", "failed"]);
	});

	test("fails no text that may have arrived whole, however many were written at once", async () => {
		const room = "first\nsecond\n".length;
		let arrived = 0;
		const pipe = new Writable({
			decodeStrings: false,
			write(chunk: string, _encoding, done) {
				arrived += chunk.length;
				done(arrived <= room ? null : new Error("write EPIPE"));
			},
		});
		const writer = createWriter(pipe);
		const failures = ["first\n", "second\n", "third\n"].map((text) => {
			const onFailure = vi.fn();
			writer.write(text, onFailure);
			return onFailure;
		});
		await turn();
		expect(failures.map((onFailure) => onFailure.mock.calls.length)).toStrictEqual([0, 0, 1]);
	});

	test("needs nobody who listens", async () => {
		const { pipe, take } = slowPipe();
		const writer = createWriter(pipe);
		const writes = [writer.write(big), writer.write("second")];
		await turn();
		take(new Error("write EPIPE"));
		await turn();
		expect(writes.map(({ state }) => state)).toStrictEqual(["failed", "failed"]);
	});

	test("does not fail what was withdrawn", async () => {
		const { pipe, take } = slowPipe();
		const writer = createWriter(pipe);
		writer.write(big, vi.fn());
		const onFailure = vi.fn();
		writer.withdraw(writer.write("second", onFailure));
		await turn();
		take(new Error("write EPIPE"));
		await turn();
		expect(onFailure).not.toHaveBeenCalled();
	});

	test.each<[string, (pipe: Writable) => void]>([
		["with an error", (pipe) => pipe.destroy(new Error("write EPIPE"))],
		["without one", (pipe) => pipe.destroy()],
		["by its end", (pipe) => pipe.end()],
	])("fails what is written after it was closed %s", async (_, close) => {
		const pipe = new PassThrough().resume();
		const writer = createWriter(pipe);
		close(pipe);
		await turn();
		const onFailure = vi.fn();
		const write = writer.write("late", onFailure);
		await turn();
		expect(onFailure).toHaveBeenCalledOnce();
		expect(write.state).toBe("failed");
		expect(writer.withdraw(write)).toBe(false);
	});
});
