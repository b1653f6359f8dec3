import { describe, expect, test } from "vitest";
import type { Interruption } from "../../src/deadline.ts";
import { McpStdioError } from "../../src/errors.ts";
import { resolveRequestOptions } from "../../src/options.ts";
import { createKept } from "../../src/server/kept.ts";
import type { Lease } from "../../src/server/lease.ts";
import { createFakeStarter, tick } from "./fake-starter.ts";

const options = resolveRequestOptions({ lifetime: "environment", observer: {} });
const interruption: Interruption = { code: "TIMEOUT", limitMs: 1 };

function create() {
	const { starter, processes } = createFakeStarter();
	const kept = createKept("it", starter);
	/** A lease that is asked for, and what has become of it. */
	const ask = () => {
		const controller = new AbortController();
		const asked: { lease?: Lease; error?: unknown; readonly giveUp: () => void } = {
			giveUp: () => controller.abort(interruption),
		};
		kept.lease(options, controller.signal).then(
			(lease) => {
				asked.lease = lease;
			},
			(error) => {
				asked.error = error;
			},
		);
		return asked;
	};
	const askAndSettle = async () => {
		const asked = ask();
		await tick();
		return asked;
	};
	return { kept, processes, ask, askAndSettle };
}

test("all requests have one process, also those that come while it starts", async () => {
	const { processes, ask, askAndSettle } = create();
	const asked = [ask(), ask(), ask()];
	await tick();
	processes[0]?.becomeReady();
	await tick();
	const later = await askAndSettle();
	expect(processes).toHaveLength(1);
	expect(processes[0]?.source).toBe("kept");
	for (const { lease } of [...asked, later]) {
		expect(lease).toMatchObject({ session: processes[0]?.session, source: "kept" });
	}
});

test("a release ends nothing", async () => {
	const { processes, askAndSettle, ask } = create();
	const asked = ask();
	await tick();
	processes[0]?.becomeReady();
	await tick();
	asked.lease?.release(false);
	asked.lease?.release(true);
	expect(processes[0]?.state).toBe("ready");
	expect((await askAndSettle()).lease?.session).toBe(processes[0]?.session);
});

describe("a start", () => {
	test("goes on when its caller is gone, for the next", async () => {
		const { processes, ask, askAndSettle } = create();
		const first = ask();
		await tick();
		first.giveUp();
		await tick();
		expect(first.error).toMatchObject({ code: "TIMEOUT" });
		const second = await askAndSettle();
		processes[0]?.becomeReady();
		await tick();
		expect(second.lease?.session).toBe(processes[0]?.session);
		expect(processes).toHaveLength(1);
	});

	test("that its callers have given up is made anew", async () => {
		const { processes, ask, askAndSettle } = create();
		const first = ask();
		await tick();
		if (processes[0]) processes[0].givenUp = true;
		first.giveUp();
		await tick();
		await askAndSettle();
		expect(processes).toHaveLength(2);
	});

	test("that fails fails its callers, and the next request tries again", async () => {
		const { processes, ask, askAndSettle } = create();
		const asked = [ask(), ask()];
		await tick();
		const failure = new McpStdioError("HANDSHAKE_FAILED", "died");
		processes[0]?.fail(failure);
		await tick();
		expect(asked.map(({ error }) => error)).toEqual([failure, failure]);
		await askAndSettle();
		expect(processes).toHaveLength(2);
	});

	test("that fails when nobody waits is not told to the next request", async () => {
		const { processes, ask, askAndSettle } = create();
		const first = ask();
		await tick();
		first.giveUp();
		await tick();
		processes[0]?.fail(new McpStdioError("HANDSHAKE_FAILED", "died"));
		await tick();
		const second = await askAndSettle();
		processes[1]?.becomeReady();
		await tick();
		expect(second.lease?.session).toBe(processes[1]?.session);
	});
});

describe("a process", () => {
	async function createReady() {
		const created = create();
		const first = created.ask();
		await tick();
		created.processes[0]?.becomeReady();
		await tick();
		return { ...created, first, process: created.processes[0] };
	}

	test("that has ended is replaced", async () => {
		const { processes, process, askAndSettle } = await createReady();
		process?.session.end("exited");
		await askAndSettle();
		expect(processes).toHaveLength(2);
	});

	test("that is doubted serves again once it is known to live", async () => {
		const { processes, process, askAndSettle } = await createReady();
		const doubt = process?.doubt();
		const asked = await askAndSettle();
		expect(asked.lease).toBeUndefined();
		doubt?.settle(true);
		await tick();
		expect(asked.lease?.session).toBe(process?.session);
		expect(processes).toHaveLength(1);
	});

	test("that is doubted is replaced when it turns out to be dead, for the request that waits", async () => {
		const { processes, process, askAndSettle } = await createReady();
		const doubt = process?.doubt();
		const asked = await askAndSettle();
		doubt?.settle(false);
		await tick();
		expect(processes).toHaveLength(2);
		processes[1]?.becomeReady();
		await tick();
		expect(asked.lease?.session).toBe(processes[1]?.session);
	});

	test("with stale variables ends when the last request that it serves is over", async () => {
		const { processes, process, first, askAndSettle } = await createReady();
		if (process) process.stale = true;
		const second = await askAndSettle();
		processes[1]?.becomeReady();
		await tick();
		expect(second.lease?.session).toBe(processes[1]?.session);
		expect(process?.state).toBe("ready");
		first.lease?.release(false);
		expect(process?.endedFor).toBe("stale");
		expect(processes[1]?.state).toBe("ready");
	});

	test("with stale variables ends at once when it serves none", async () => {
		const { process, first, askAndSettle } = await createReady();
		first.lease?.release(false);
		if (process) process.stale = true;
		await askAndSettle();
		expect(process?.endedFor).toBe("stale");
	});

	test("is not used after close", async () => {
		const { kept, processes, askAndSettle } = await createReady();
		kept.close();
		await askAndSettle();
		expect(processes).toHaveLength(2);
	});
});
