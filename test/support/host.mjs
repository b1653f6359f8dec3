// A host of servers for the tests that end it: runs requests as its first argument (JSON) says, prints what they were
// answered as a line of JSON, and then ends as the last member says.
// What many packages load, before this one or behind it.
if (process.argv[3]?.startsWith("before")) await load(process.argv[3].slice("before ".length));
const { prewarmStdioServer, runStdioRequest } = await import("../../src/index.ts");
if (process.argv[3]?.startsWith("behind")) await load(process.argv[3].slice("behind ".length));

async function load(names) {
	for (const name of names.split(" ")) {
		const loaded = await import(name);
		(loaded.onExit ?? loaded.default)(() => {});
	}
}

const { params, options, prewarm, requests = [], pending, end } = JSON.parse(process.argv[2]);

if (prewarm) await prewarmStdioServer(params, options);
const responses = [];
for (const request of requests) responses.push(await runStdioRequest(params, request, options));
if (pending) void runStdioRequest(params, pending, options);

process.stdout.write(`${JSON.stringify(responses)}\n`);

const ends = {
	nothing: () => {},
	exit: () => process.exit(3),
	throw: () =>
		setTimeout(() => {
			throw new Error("The host fails");
		}),
	reject: () => void Promise.reject(new Error("The host fails")),
	wait: () => setInterval(() => {}, 1000),
	"own-handler": () => {
		process.on("SIGTERM", () => process.exit(4));
		setInterval(() => {}, 1000);
	},
	"own-handler-once": () => {
		process.once("SIGTERM", () => setTimeout(() => process.exit(4), 200));
		setInterval(() => {}, 1000);
	},
};

ends[end]();
