import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isInheritable, resolveParams, type StdioServerParams, serverKey } from "../src/params.ts";

const resolve = (params: unknown) => resolveParams(params as StdioServerParams);

function messageOf(params: unknown): string {
	try {
		resolve(params);
	} catch (error) {
		expect(error).toBeInstanceOf(TypeError);
		return (error as TypeError).message;
	}
	throw new Error("these params were accepted");
}

describe("resolveParams", () => {
	test("fills in the defaults", () => {
		expect(resolve({ command: "server" })).toStrictEqual({
			name: "server",
			command: "server",
			args: [],
			env: {},
			cwd: undefined,
			inheritEnv: [],
			maxMessageBytes: 64 * 1024 * 1024,
		});
	});

	test("keeps what is given", () => {
		const params = {
			command: "/opt/node",
			args: ["a", "", "--b=c d"],
			env: { TOKEN: "1=2", EMPTY: "" },
			cwd: "/var/task",
			name: "weather",
			inheritEnv: ["PROXY"],
			maxMessageBytes: 1,
		};
		expect(resolve({ ...params, type: "stdio" })).toStrictEqual(params);
	});

	test.each<[string, string, string]>([
		[
			"Claude Desktop",
			`{ "mcpServers": { "filesystem": { "command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", "/data"] } } }`,
			"@modelcontextprotocol/server-filesystem",
		],
		[
			"Claude Code",
			`{ "mcpServers": { "weather": { "type": "stdio", "command": "/opt/weather", "args": [], "env": { "API_KEY": "value" } } } }`,
			"weather",
		],
		[
			"VS Code",
			`{ "mcpServers": { "fetch": { "type": "stdio", "command": "uvx", "args": ["mcp-server-fetch"] } } }`,
			"mcp-server-fetch",
		],
		[
			"Cursor",
			`{ "mcpServers": { "py": { "command": "python", "args": ["mcp-server.py"], "env": { "API_KEY": "value" } } } }`,
			"mcp-server.py",
		],
	])("takes an entry out of the configuration of %s", (_, configuration, name) => {
		const [entry] = Object.values(JSON.parse(configuration).mcpServers);
		const { type: _type, ...rest } = entry as StdioServerParams;
		expect(resolve(entry)).toMatchObject({ ...rest, name });
	});

	test.each<[unknown, string]>([
		[undefined, "params must be an object, not undefined"],
		[null, "params must be an object, not null"],
		["node server.js", "params must be an object, not "],
		[[], "params must be an object, not "],
		[{}, "params.command is missing; it must be a string that is not empty"],
		[{ command: undefined }, "params.command is missing; it must be a string that is not empty"],
		[{ command: "" }, "params.command must be a string that is not empty, not "],
		[{ command: 5 }, "params.command must be a string that is not empty, not "],
		[{ command: "a\0b" }, "params.command must be a string that is not empty, not "],
		[{ command: "a", args: "b" }, "params.args must be an array of strings, not "],
		[{ command: "a", args: [1] }, "params.args must be an array of strings, not "],
		[{ command: "a", args: ["b\0c"] }, "params.args must be an array of strings, not "],
		[{ command: "a", args: { 0: "b" } }, "params.args must be an array of strings, not "],
		[{ command: "a", env: [] }, "params.env must be an object of names (without =) and strings, not "],
		[{ command: "a", env: null }, "params.env must be an object of names (without =) and strings, not "],
		[{ command: "a", env: "A=b" }, "params.env must be an object of names (without =) and strings, not "],
		[{ command: "a", args: ["--token", undefined] }, "an array of strings, not one with undefined at index 1"],
		[{ command: "a", env: { A: 1 } }, "params.env.A must be a string, not a number"],
		[{ command: "a", env: { A: undefined } }, "params.env.A must be a string, not undefined"],
		[{ command: "a", env: { A: null } }, "params.env.A must be a string, not null"],
		[{ command: "a", env: { B: "", "a.b": true } }, 'params.env["a.b"] must be a string, not a boolean'],
		[{ command: "a", env: { A: "b\0c" } }, "params.env.A must be a string without NUL characters"],
		[{ command: "a", env: { "A\0": "b" } }, "params.env must be "],
		[
			{ command: "a", env: { "A=B": "c" } },
			'params.env must be an object of names (without =) and strings; "A=…" is no',
		],
		[{ command: "a", env: { "": "c" } }, "params.env must be "],
		[{ command: "a", cwd: "" }, "params.cwd must be a string that is not empty, not "],
		[{ command: "a", cwd: "/a\0" }, "params.cwd must be a string that is not empty, not "],
		[{ command: "a", type: "http" }, 'params.type must be "stdio", not "http"'],
		[{ command: "a", name: "" }, "params.name must be a string that is not empty, not "],
		[{ command: "a", inheritEnv: "none" }, 'params.inheritEnv must be "aws", "all" or an array of names'],
		[{ command: "a", inheritEnv: true }, 'params.inheritEnv must be "aws", "all" or an array of names'],
		[{ command: "a", inheritEnv: ["A", 1] }, 'params.inheritEnv must be "aws", "all" or an array of names'],
		[{ command: "a", inheritEnv: ["NODE_OPTIONS"] }, "without AWS_LAMBDA_RUNTIME_API, NODE_OPTIONS, LD_PRELOAD"],
		[{ command: "a", maxMessageBytes: 0 }, "params.maxMessageBytes must be an integer from 1 to 536870888, not 0"],
		[{ command: "a", maxMessageBytes: "64" }, "params.maxMessageBytes must be an integer from 1 to 536870888, not "],
		[{ command: "a", arguments: [] }, "params.arguments is not an option; the options are command, args, env, "],
		[{ mcpServers: { a: { command: "a" } } }, "params.mcpServers is not an option"],
		[{ command: "a", url: undefined }, "params.url is not an option"],
	])("refuses %j", (params, message) => {
		expect(messageOf(params)).toContain(message);
	});

	const secret = "s3cr3t";

	test.each<[string, unknown]>([
		["args that are a string", { command: "a", args: `--key ${secret}` }],
		["args with a number", { command: "a", args: ["--key", secret, 1] }],
		["env that is a list", { command: "a", env: [`KEY=${secret}`] }],
		["env that is a string", { command: "a", env: `KEY=${secret}` }],
		["env with a number", { command: "a", env: { KEY: secret, PORT: 1 } }],
		["env with a name that is not one", { command: "a", env: { [`KEY=${secret}`]: secret } }],
		["env under another name", { command: "a", environment: { KEY: secret } }],
		["args after a mistake elsewhere", { command: "a", cwd: 1, args: [secret], env: { KEY: secret } }],
		["args in the command", { command: ["npx", "--key", secret] }],
		["env in inheritEnv", { command: "a", inheritEnv: { KEY: secret } }],
		["a list of params", [{ command: "a", env: { KEY: secret } }]],
		["params that are a string", JSON.stringify({ env: { KEY: secret }, command: "a" })],
	])("does not show %s", (_, params) => {
		expect(messageOf(params)).not.toContain(secret);
	});

	test.each([["constructor"], ["toString"], ["__proto__"]])("names the unknown %s as any other", (name) => {
		expect(messageOf(JSON.parse(`{ "command": "a", "${name}": 1 }`))).toContain(`params.${name} is not an option`);
	});
});

describe("a server's name", () => {
	test.each<[string, readonly string[], string]>([
		["npx", ["-y", "@modelcontextprotocol/server-everything"], "@modelcontextprotocol/server-everything"],
		["npx", ["-y", "mcp-weather", "--token", "s3cr3t"], "mcp-weather"],
		["npx", ["--yes", "@scope/server@1.2.3"], "@scope/server@1.2.3"],
		["/usr/local/bin/npx", ["mcp-weather"], "mcp-weather"],
		["bunx", ["mcp-weather"], "mcp-weather"],
		["uvx", ["mcp-server-fetch"], "mcp-server-fetch"],
		["node", ["/var/task/node_modules/mcp-weather/dist/index.js", "stdio"], "mcp-weather"],
		["node", ["node_modules/@scope/server/dist/index.js"], "@scope/server"],
		["node", ["/a/node_modules/outer/node_modules/@scope/inner/main.js"], "@scope/inner"],
		["node", ["--max-old-space-size=64", "/var/task/server.js"], "server.js"],
		["node.exe", ["server.js"], "server.js"],
		["/var/lang/bin/node", ["./build/server.mjs", "s3cr3t"], "server.mjs"],
		["node_modules/.bin/mcp-weather", [], "mcp-weather"],
		["/var/task/node_modules/@scope/server/bin/run", ["s3cr3t"], "@scope/server"],
		["python", ["-m", "mcp_server_time", "--local-timezone", "UTC"], "mcp_server_time"],
		["/usr/bin/python3.13", ["server.py"], "server.py"],
		["java", ["-jar", "/opt/server.jar"], "server.jar"],
		["/opt/bin/weather-server", ["--key", "s3cr3t"], "weather-server"],
		["docker", ["run", "-i", "-e", "KEY=s3cr3t", "image"], "docker"],
		["node", [], "node"],
		["node", ["--version"], "node"],
		["deno", ["run", "--allow-net", "server.ts"], "server.ts"],
		["uv", ["run", "server.py"], "server.py"],
		["bun", ["run", "server.ts"], "server.ts"],
		["pipx", ["run", "mcp-server-git"], "mcp-server-git"],
	])("of %s %j is %s", (command, args, name) => {
		expect(resolve({ command, args }).name).toBe(name);
	});

	test("is the one that is given, before any other", () => {
		expect(resolve({ command: "npx", args: ["mcp-weather"], name: "Weather" }).name).toBe("Weather");
	});

	test.each<[string, readonly string[]]>([
		["uvx", ["--index-url", "https://user:s3cr3t@pypi.example.com", "mcp-weather"]],
		["npx", ["--registry", "https://user:s3cr3t@npm.example.com/", "mcp-weather"]],
		["npx", ["--registry=https://user:s3cr3t@npm.example.com/", "mcp-weather"]],
		["python3", ["-c", "import server; server.run(key='s3cr3t')"]],
		["node", ["-e", "import('server').then((m) => m.run('s3cr3t'))"]],
		["node", ["--eval", "run('s3cr3t')"]],
		["node", ["server.js", "--key", "s3cr3t"]],
		["sh", ["-c", "KEY=s3cr3t exec server"]],
		["env", ["KEY=s3cr3t", "server"]],
	])("shows no secret of %s %j", (command, args) => {
		expect(resolve({ command, args }).name).not.toContain("s3cr3t");
	});

	test("is never empty, and never a later argument", () => {
		const interpreter = fc.constantFrom("node", "npx", "python3", "uvx", "/opt/server", "docker");
		fc.assert(
			fc.property(interpreter, fc.array(fc.stringMatching(/^[a-z@/.-]+$/)), (command, args) => {
				const { name } = resolve({ command, args: ["-y", "first", ...args.map((arg) => `#${arg}`)] });
				expect(name).toMatch(/^[^#]+$/);
			}),
		);
	});
});

describe("serverKey", () => {
	const params = { command: "node", args: ["a"], env: { A: "1" }, cwd: "/", inheritEnv: "aws", name: "n" } as const;
	const keyOf = (changes: Partial<StdioServerParams>) => serverKey(resolveParams({ ...params, ...changes }));

	test("is equal for equal params", () => {
		expect(keyOf({ args: ["a"], env: { A: "1" } })).toBe(keyOf({ type: "stdio", maxMessageBytes: 64 * 2 ** 20 }));
	});

	test.each<[Partial<StdioServerParams>]>([
		[{ command: "bun" }],
		[{ args: ["a", ""] }],
		[{ args: ["b"] }],
		[{ env: {} }],
		[{ env: { A: "2" } }],
		[{ cwd: "/tmp" }],
		[{ name: "m" }],
		[{ inheritEnv: "all" }],
		[{ inheritEnv: [] }],
		[{ maxMessageBytes: 1 }],
	])("differs with %j", (changes) => {
		expect(keyOf(changes)).not.toBe(keyOf({}));
	});
});

test.each([
	["AWS_LAMBDA_RUNTIME_API", false],
	["NODE_OPTIONS", false],
	["LD_PRELOAD", false],
	["LD_LIBRARY_PATH", true],
	["AWS_SECRET_ACCESS_KEY", true],
])("isInheritable says of %s: %s", (name, expected) => {
	expect(isInheritable(name)).toBe(expected);
});
