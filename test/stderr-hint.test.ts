import { describe, expect, test } from "vitest";
import { reasonOn } from "../src/stderr-hint.ts";

/** What programs wrote, as it was seen, with the reason that a reader would name. */
const outputs: readonly (readonly [name: string, reason: string, text: string])[] = [
	[
		"an uncaught exception of Node.js",
		"Error: API_TOKEN is required",
		`/srv/server.js:3
if (!process.env.API_TOKEN) throw new Error("API_TOKEN is required");
                            ^

Error: API_TOKEN is required
    at Object.<anonymous> (/srv/server.js:3:35)
    at Module._compile (node:internal/modules/cjs/loader:1730:14)

Node.js v24.21.0`,
	],
	[
		"a missing package of Node.js",
		"Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'zod' imported from /srv/server.mjs",
		`node:internal/modules/package_json_reader:267
  throw new ERR_MODULE_NOT_FOUND(packageName, fileURLToPath(base), null);
        ^

Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'zod' imported from /srv/server.mjs
    at Object.getPackageJSONURL (node:internal/modules/package_json_reader:267:9)
    at packageResolve (node:internal/modules/esm/resolve:768:81) {
  code: 'ERR_MODULE_NOT_FOUND'
}

Node.js v24.21.0`,
	],
	[
		"a missing file of Node.js",
		"Error: Cannot find module '/srv/none.js'",
		`node:internal/modules/cjs/loader:1404
  throw err;
  ^

Error: Cannot find module '/srv/none.js'
    at Function._resolveFilename (node:internal/modules/cjs/loader:1401:15) {
  code: 'MODULE_NOT_FOUND',
  requireStack: []
}

Node.js v24.21.0`,
	],
	[
		"an object that is thrown",
		`[Error: connect ECONNREFUSED 127.0.0.1:5432]`,
		`node:internal/process/promises:394
      triggerUncaughtException(err, true /* fromPromise */);
      ^

[Error: connect ECONNREFUSED 127.0.0.1:5432] {
  errno: -111,
  code: 'ECONNREFUSED'
}

Node.js v24.21.0`,
	],
	[
		"an error and its usage",
		"error: missing required argument 'connection-string'",
		`error: missing required argument 'connection-string'
Usage: server [options] <connection-string>

Options:
  --port <n>     the port (required for http)
  --unknown <n>  cannot be combined with --port
  -h, --help     display help for command`,
	],
	[
		"a message and a link",
		"Please set the GITHUB_PERSONAL_ACCESS_TOKEN environment variable, it must not be empty",
		`Please set the GITHUB_PERSONAL_ACCESS_TOKEN environment variable, it must not be empty
https://github.com/settings/tokens`,
	],
	[
		"a dotenv banner behind the error",
		"Missing NOTION_TOKEN",
		`Missing NOTION_TOKEN
[dotenv@17.2.1] injecting env (0) from .env (tip: encrypt with dotenvx)`,
	],
	[
		"an exception of Python",
		"ModuleNotFoundError: No module named 'httpx'",
		`Traceback (most recent call last):
  File "<frozen runpy>", line 198, in _run_module_as_main
  File "/srv/server/__main__.py", line 1, in <module>
    import httpx
ModuleNotFoundError: No module named 'httpx'`,
	],
	[
		"a chain of exceptions of Python",
		"RuntimeError: could not connect: token expired",
		`Traceback (most recent call last):
  File "/srv/a.py", line 3, in f
    raise ValueError("inner")
ValueError: inner

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/a.py", line 5, in <module>
    raise RuntimeError("could not connect: token expired")
RuntimeError: could not connect: token expired`,
	],
	[
		"an exception group of Python",
		"mcp.shared.exceptions.McpError: Connection closed",
		`  + Exception Group Traceback (most recent call last):
  |   File "/srv/a.py", line 1, in <module>
  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/srv/b.py", line 2, in run
    | mcp.shared.exceptions.McpError: Connection closed
    +------------------------------------`,
	],
	[
		"a validation error of pydantic",
		"pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings api_key Field required [type=missing, input_value={}, input_type=dict]",
		`Traceback (most recent call last):
  File "/srv/a.py", line 9, in <module>
    Settings()
pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings
api_key
  Field required [type=missing, input_value={}, input_type=dict]
    For further information visit https://errors.pydantic.dev/2.11/v/missing`,
	],
	[
		"argparse",
		"server: error: the following arguments are required: --repository",
		`usage: server [-h] --repository REPOSITORY
server: error: the following arguments are required: --repository`,
	],
	[
		"a module that is not there",
		"/usr/bin/python3: No module named mcp_server_none",
		"/usr/bin/python3: No module named mcp_server_none",
	],
	[
		"a box of rich",
		"Error Missing option '--token'.",
		`                                                                    
 Usage: server [OPTIONS]                                            
                                                                    
 Try 'server --help' for help.                                      
╭─ Error ────────────────────────────────────────────────────────────╮
│ Missing option '--token'.                                          │
╰────────────────────────────────────────────────────────────────────╯`,
	],
	[
		"a panic of Go",
		"panic: GRAFANA_URL must be set",
		`panic: GRAFANA_URL must be set

goroutine 1 [running]:
main.main()
	/src/main.go:12 +0x1d
exit status 2`,
	],
	[
		"a fatal line of Go's log",
		"2026/11/25 08:00:00 failed to read config: open /etc/x.yaml: no such file or directory",
		"2026/11/25 08:00:00 failed to read config: open /etc/x.yaml: no such file or directory",
	],
	[
		"a panic of Rust",
		"thread 'main' panicked at src/main.rs:5:41: called `Option::unwrap()` on a `None` value",
		`thread 'main' panicked at src/main.rs:5:41:
called \`Option::unwrap()\` on a \`None\` value
note: run with \`RUST_BACKTRACE=1\` environment variable to display a backtrace`,
	],
	[
		"an exception of Java",
		"Caused by: java.net.UnknownHostException: db.example.com",
		`Exception in thread "main" java.lang.IllegalStateException: no database
	at com.example.Main.main(Main.java:10)
Caused by: java.net.UnknownHostException: db.example.com
	at java.base/java.net.InetAddress.getAllByName(InetAddress.java:1)
	... 1 more`,
	],
	[
		"an exception of .NET",
		"Unhandled exception. System.InvalidOperationException: Set AZURE_CONFIG_DIR",
		`Unhandled exception. System.InvalidOperationException: Set AZURE_CONFIG_DIR
   at Program.<Main>$(String[] args) in /src/Program.cs:line 3`,
	],
	[
		"npm",
		"npm error 404 Not Found - GET https://registry.example.com/none - Not found",
		`npm error code E404
npm error 404 Not Found - GET https://registry.example.com/none - Not found
npm error A complete log of this run can be found in: /tmp/.npm/_logs/x.log`,
	],
	[
		"a rejection of Node.js with a text",
		'Error: The promise rejected with the reason "no token".',
		`node:internal/process/promises:392
      new UnhandledPromiseRejection(reason);
      ^

UnhandledPromiseRejection: This error originated either by throwing inside of an async function without a catch block, or by rejecting a promise which was not handled with .catch(). The promise rejected with the reason "no token".
    at throwUnhandledRejectionsMode (node:internal/process/promises:392:7) {
  code: 'ERR_UNHANDLED_REJECTION'
}

Node.js v24.21.0`,
	],
	[
		"issues of zod",
		'Invalid configuration: "path": [ "apiKey" "message": "Required"',
		`Invalid configuration:
[
  {
    "code": "invalid_type",
    "expected": "string",
    "received": "undefined",
    "path": [
      "apiKey"
    ],
    "message": "Required"
  }
]`,
	],
	[
		"a panic of a newer Rust, with its backtrace",
		"thread 'main' (32235) panicked at r.rs:1:120: called `Result::unwrap()` on an `Err` value: \"bad token\"",
		`
thread 'main' (32235) panicked at r.rs:1:120:
called \`Result::unwrap()\` on an \`Err\` value: "bad token"
stack backtrace:
   0: __rustc::rust_begin_unwind
             at /rustc/5980/library/std/src/panicking.rs:689:5
   1: core::panicking::panic_fmt
   4: core::ops::function::FnOnce::call_once
note: Some details are omitted, run with \`RUST_BACKTRACE=full\` for a verbose backtrace.`,
	],
	[
		"a missing module of Perl",
		"Can't locate NoSuch/Mod.pm in @INC (you may need to install the NoSuch::Mod module) at -e line 1.",
		`Can't locate NoSuch/Mod.pm in @INC (you may need to install the NoSuch::Mod module) at -e line 1.
BEGIN failed--compilation aborted at -e line 1.`,
	],
	["a shell", "sh: 1: npx: not found", "sh: 1: npx: not found"],
	[
		"the loader of Linux",
		"./server: error while loading shared libraries: libssl.so.3: cannot open shared object file: No such file or directory",
		"./server: error while loading shared libraries: libssl.so.3: cannot open shared object file: No such file or directory",
	],
	["colours", "Error: no token", "\u001b[31mError: no token\u001b[39m\n\u001b[2m    at x (y.js:1:2)\u001b[22m"],
	[
		"a warning behind the error",
		"Error: listen EADDRINUSE: address already in use :::3000",
		`Error: listen EADDRINUSE: address already in use :::3000
(node:12) [DEP0040] DeprecationWarning: The \`punycode\` module is deprecated.
(Use \`node --trace-deprecation ...\` to show where the warning was created)`,
	],
	[
		"a logger's prefix",
		"[2026-11-25T08:00:00.000Z] [error] bad key",
		"[2026-11-25T08:00:00.000Z] [error] bad key\nbye",
	],
	["nothing that looks like an error", "goodbye", "hello\ngoodbye\n\n"],
];

describe("the reason on stderr", () => {
	test.each(outputs)("of %s is %s", (_, reason, text) => {
		expect(reasonOn(text.split("\n"))).toBe(reason);
	});

	test("is none when nothing was written", () => {
		expect(reasonOn([])).toBeUndefined();
		expect(reasonOn(["", "  ", "+-----+", "})", "^"])).toBeUndefined();
	});

	test("is cut, and long lines are looked at in part only", () => {
		expect(reasonOn([`Error: ${"x".repeat(100_000)}`])).toHaveLength(400);
		expect(reasonOn([`${" ".repeat(100_000)}Error: x`, "y"])).toBe("y");
		expect(reasonOn([`[${"[".repeat(100_000)}`, `${"2026-11-25 08:00:00 ".repeat(5000)}x`])).toBeDefined();
	});
});
