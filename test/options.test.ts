import { afterEach, describe, expect, test, vi } from "vitest";
import { startDeadline } from "../src/deadline.ts";
import { failureObserver } from "../src/observer.ts";
import { type LifetimeOptions, resolveLifetimeOptions, resolveRequestOptions } from "../src/options.ts";
import { resolveParams, type StdioServerParams } from "../src/params.ts";
import { acceptedNames, documentedDefaults } from "./support/documentation.ts";

type Options = typeof import("../src/options.ts");

const operatingSystem = vi.hoisted(() => ({ cores: 2, memoryMb: 8192 }));

vi.mock("node:os", async (importOriginal) => ({
	...(await importOriginal<typeof import("node:os")>()),
	availableParallelism: () => operatingSystem.cores,
	totalmem: () => operatingSystem.memoryMb * 2 ** 20,
}));

afterEach(() => {
	vi.unstubAllEnvs();
	vi.useRealTimers();
	vi.resetModules();
	Object.assign(operatingSystem, { cores: 2, memoryMb: 8192 });
});

/** The options module as it is when it is loaded in a function with that much memory. */
function loadOptions(memorySize: string | undefined): Promise<Options> {
	vi.stubEnv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memorySize);
	vi.resetModules();
	return import("../src/options.ts");
}

describe("the documented defaults", () => {
	const inOptions = documentedDefaults("options.ts");
	const inParams = documentedDefaults("params.ts");

	test("cover every option and no other", () => {
		const options = acceptedNames(() => resolveRequestOptions({ no: 1 } as object));
		const params = acceptedNames(() => resolveParams({ command: "a", no: 1 } as StdioServerParams));
		expect([...inOptions.keys()].sort()).toStrictEqual(options.sort());
		expect([...inParams.keys()].sort()).toStrictEqual(params.sort());
	});

	test("are left out only where there is none", () => {
		const without = (documented: typeof inOptions) => [...documented].filter(([, text]) => !text).map(([name]) => name);
		expect(without(inOptions)).toStrictEqual(["deadline", "signal", "onNotification", "correlation"]);
		expect(without(inParams)).toStrictEqual(["command"]);
		expect(resolveRequestOptions({})).toMatchObject({
			deadline: undefined,
			signal: undefined,
			onNotification: undefined,
			correlation: undefined,
		});
	});

	test.each(["lifetime", "deadlineReserveMs", "exposeStderr"] as const)("say what %s is", (name) => {
		expect(resolveRequestOptions({})[name]).toBe(JSON.parse(inOptions.get(name) as string));
	});

	test.each(["args", "env"] as const)("say what params.%s is", (name) => {
		expect(resolveParams({ command: "a" })[name]).toStrictEqual(JSON.parse(inParams.get(name) as string));
	});

	test("say what timeoutMs is", () => {
		const [, ms] = /^(\d+) when there is no deadline$/.exec(inOptions.get("timeoutMs") as string) ?? [];
		vi.useFakeTimers();
		const { signal, clear } = startDeadline(resolveRequestOptions({}));
		vi.advanceTimersByTime(Number(ms));
		expect(signal.reason).toStrictEqual({ code: "TIMEOUT", limitMs: Number(ms) });
		clear();
		const far = startDeadline(resolveRequestOptions({ deadline: Date.now() + 1e9 }));
		vi.advanceTimersByTime(Number(ms));
		expect(far.signal.aborted).toBe(false);
		far.clear();
	});

	test("say what standby is", async () => {
		const said = /^(\d+), and (\d+) where the function has less than (\d+) MB of memory$/;
		const [most = 0, little = 0, limitMb = 0] =
			said
				.exec(inOptions.get("standby") as string)
				?.slice(1)
				.map(Number) ?? [];
		const standbyAt = async (mb: number) => (await loadOptions(String(mb))).resolveLifetimeOptions({}).standby;
		expect(await standbyAt(limitMb)).toBe(most);
		expect(await standbyAt(limitMb - 1)).toBe(little);
	});

	test("say what maxProcesses is", async () => {
		const said = /^one for every (\d+) MB of the function's memory, at most four a core and at least 1$/;
		const mb = Number(said.exec(inOptions.get("maxProcesses") as string)?.[1]);
		const processesAt = async (memory: number) =>
			(await loadOptions(String(memory))).resolveLifetimeOptions({}).maxProcesses;
		expect(await processesAt(mb * 3)).toBe(3);
		expect(await processesAt(mb * 4 - 1)).toBe(3);
		expect(await processesAt(mb - 1)).toBe(1);
		expect(await processesAt(mb * 1000)).toBe(4 * operatingSystem.cores);
	});

	test("say who the observer is", () => {
		expect(inOptions.get("observer")).toBe("an observer that writes failures to stderr");
		expect(resolveLifetimeOptions({}).observer).toBe(failureObserver);
	});

	test("say what the other params are", () => {
		const resolved = resolveParams({ command: "/bin/server" });
		expect(inParams.get("cwd")).toBe("the current one");
		expect(resolved.cwd).toBeUndefined();
		expect(inParams.get("type")).toBe('"stdio"');
		expect(() => resolveParams({ command: "a", type: "stdio" })).not.toThrow();
		expect(inParams.get("name")).toBe("the package, script or command that is run");
		expect(resolved.name).toBe("server");
		expect(inParams.get("inheritEnv")).toBe("the default list");
		expect(resolved.inheritEnv).toStrictEqual([]);
		const [, bytes, mib] = /^(\d+) \((\d+) MiB\)$/.exec(inParams.get("maxMessageBytes") as string) ?? [];
		expect(resolved.maxMessageBytes).toBe(Number(bytes));
		expect(resolved.maxMessageBytes).toBe(Number(mib) * 2 ** 20);
	});

	test("are what undefined means", () => {
		const undefinedOf = (names: Iterable<string>) => Object.fromEntries([...names].map((name) => [name, undefined]));
		expect(resolveRequestOptions(undefinedOf(inOptions.keys()))).toStrictEqual(resolveRequestOptions({}));
		const params = { ...undefinedOf(inParams.keys()), command: "a" };
		expect(resolveParams(params)).toStrictEqual(resolveParams({ command: "a" }));
	});
});

describe("the defaults that follow memory", () => {
	test.each<[string, number, { standby: number; maxProcesses: number }]>([
		["128", 2, { standby: 0, maxProcesses: 1 }],
		["255", 2, { standby: 0, maxProcesses: 1 }],
		["256", 2, { standby: 0, maxProcesses: 2 }],
		["511", 2, { standby: 0, maxProcesses: 3 }],
		["512", 2, { standby: 1, maxProcesses: 4 }],
		["1769", 1, { standby: 1, maxProcesses: 4 }],
		["1769", 2, { standby: 1, maxProcesses: 8 }],
		["1769", 6, { standby: 1, maxProcesses: 13 }],
		["10240", 6, { standby: 1, maxProcesses: 24 }],
	])("with %s MB and %d cores are %o", async (memorySize, cores, expected) => {
		operatingSystem.cores = cores;
		const { resolveLifetimeOptions, resolveRequestOptions } = await loadOptions(memorySize);
		expect(resolveLifetimeOptions({})).toMatchObject(expected);
		expect(resolveRequestOptions({})).toMatchObject(expected);
	});

	test.each([[undefined], [""], ["much"], ["0"]])(
		"come from the machine's memory when the function's is %j",
		async (memorySize) => {
			operatingSystem.memoryMb = 400;
			const { resolveLifetimeOptions } = await loadOptions(memorySize);
			expect(resolveLifetimeOptions({})).toMatchObject({ standby: 0, maxProcesses: 3 });
		},
	);

	test("give way to what is asked for", async () => {
		const { resolveLifetimeOptions } = await loadOptions("128");
		const asked = { standby: 3, maxProcesses: 40 };
		expect(resolveLifetimeOptions(asked)).toMatchObject(asked);
		expect(resolveLifetimeOptions({ standby: 0 }).standby).toBe(0);
	});
});

describe("the options that are accepted", () => {
	const clock = { getRemainingTimeInMillis: () => 1000 };

	test.each<[string, unknown]>([
		["lifetime", "request"],
		["lifetime", "environment"],
		["standby", 0],
		["standby", 5],
		["maxProcesses", 1],
		["observer", {}],
		["timeoutMs", 0],
		["timeoutMs", 0.5],
		["timeoutMs", Number.POSITIVE_INFINITY],
		["deadline", 0],
		["deadline", Date.now()],
		["deadline", clock],
		["deadline", { lambdaContext: clock }],
		["deadlineReserveMs", 0],
		["signal", new AbortController().signal],
		["signal", AbortSignal.abort()],
		["onNotification", () => {}],
		["exposeStderr", true],
	])("have %s %j", (name, value) => {
		expect(resolveRequestOptions({ [name]: value })).toHaveProperty(name, value);
	});
});

describe("an option that is wrong", () => {
	test.each<[string, unknown, string]>([
		["lifetime", "process", 'must be "request" or "environment", not "process"'],
		["lifetime", "toString", 'must be "request" or "environment", not "toString"'],
		["lifetime", null, 'must be "request" or "environment", not null'],
		["standby", -1, "must be an integer of 0 or more, not -1"],
		["standby", 1.5, "must be an integer of 0 or more, not 1.5"],
		["standby", "1", 'must be an integer of 0 or more, not "1"'],
		["standby", Number.NaN, "must be an integer of 0 or more, not NaN"],
		["standby", 1n, "must be an integer of 0 or more, not 1"],
		["maxProcesses", 0, "must be an integer of 1 or more, not 0"],
		["maxProcesses", Number.POSITIVE_INFINITY, "must be an integer of 1 or more, not Infinity"],
		["observer", null, "must be an object, not null"],
		["observer", [], "must be an object, not an array"],
		["observer", () => {}, "must be an object, not a function"],
		["timeoutMs", -1, "must be a number of milliseconds, 0 or more, not -1"],
		["timeoutMs", "60s", 'must be a number of milliseconds, 0 or more, not "60s"'],
		["timeoutMs", Number.NaN, "must be a number of milliseconds, 0 or more, not NaN"],
		["deadline", "soon", 'must be a Lambda context or epoch milliseconds, not "soon"'],
		["deadline", {}, "must be a Lambda context or epoch milliseconds, not an object"],
		["deadline", null, "must be a Lambda context or epoch milliseconds, not null"],
		["deadline", Number.NaN, "must be a Lambda context or epoch milliseconds, not NaN"],
		["deadline", { lambdaContext: null }, "must be a Lambda context or epoch milliseconds, not an object"],
		["deadlineReserveMs", -1, "must be a number of milliseconds, 0 or more, not -1"],
		["signal", {}, "must be an AbortSignal, not an object"],
		["signal", null, "must be an AbortSignal, not null"],
		["signal", new EventTarget(), "must be an AbortSignal, not "],
		["onNotification", {}, "must be a function, not an object"],
		["exposeStderr", "yes", 'must be a boolean, not "yes"'],
		["exposeStderr", 1, "must be a boolean, not 1"],
		["exposeStderr", Symbol("yes"), "must be a boolean, not Symbol(yes)"],
	])("%s %o is refused", (name, value, problem) => {
		const resolve = () => resolveRequestOptions({ [name]: value });
		expect(resolve).toThrow(TypeError);
		expect(resolve).toThrow(`options.${name} ${problem}`);
	});

	test("keeps to itself what it holds", () => {
		const context = { identity: { token: "s3cr3t" } };
		const resolve = () => resolveRequestOptions({ deadline: context as never });
		expect(resolve).toThrow(/^options\.deadline must be a Lambda context or epoch milliseconds, not an object$/);
	});

	test("is shown by its beginning only", () => {
		const resolve = () => resolveRequestOptions({ lifetime: "x".repeat(10_000) as never });
		expect(resolve).toThrow(/^options\.lifetime must be .{1,150}$/);
	});

	test.each([["retries"], ["TimeoutMs"], [""], ["toString"], ["constructor"], ["__proto__"]])(
		"%j is named as unknown, with the ones there are",
		(name) => {
			const options = JSON.parse(`{${JSON.stringify(name)}: 1}`) as LifetimeOptions;
			for (const resolve of [resolveLifetimeOptions, resolveRequestOptions]) {
				expect(() => resolve(options)).toThrow(TypeError);
				expect(() => resolve(options)).toThrow(
					`options.${name} is not an option; the options are lifetime, standby, maxProcesses, observer`,
				);
			}
		},
	);

	test("that only a request has is unknown to the lifetime", () => {
		expect(() => resolveLifetimeOptions({ timeoutMs: 1 } as LifetimeOptions)).toThrow(
			"options.timeoutMs is not an option",
		);
	});

	test.each<[unknown, string]>([
		[null, "null"],
		["fast", ""],
		[[], "an array"],
		[5, "5"],
		[() => {}, "a function"],
	])("is %j in place of them all", (options, shown) => {
		for (const resolve of [resolveLifetimeOptions, resolveRequestOptions]) {
			expect(() => resolve(options as never)).toThrow(TypeError);
			expect(() => resolve(options as never)).toThrow(`options must be an object, not ${shown}`);
		}
	});
});
