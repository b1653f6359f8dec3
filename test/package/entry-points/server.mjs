// The smallest MCP server that speaks stdio: a tool "echo".
import { createInterface } from "node:readline";

const answers = {
	initialize: ({ protocolVersion }) => ({
		protocolVersion,
		capabilities: { tools: {} },
		serverInfo: { name: "smallest", version: "1.0.0" },
	}),
	"tools/call": ({ arguments: { message } }) => ({ content: [{ type: "text", text: message }] }),
};

createInterface({ input: process.stdin }).on("line", (line) => {
	const { id, method, params } = JSON.parse(line);
	if (id === undefined) return;
	console.log(JSON.stringify({ jsonrpc: "2.0", id, result: answers[method](params) }));
});
