// An MCP server that keeps nothing that an answer depends on, except in the tool `about`, which shows that it could.
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

const server = new McpServer({ name: "words", version: "1.0.0" });
let calls = 0;

server.registerTool(
	"count-words",
	{ description: "Counts the words of a text", inputSchema: { text: z.string() }, annotations: { readOnlyHint: true } },
	({ text }) => {
		calls += 1;
		const words = [...new Intl.Segmenter("en", { granularity: "word" }).segment(text)];
		return { content: [{ type: "text", text: String(words.filter(({ isWordLike }) => isWordLike).length) }] };
	},
);

server.registerTool(
	"about",
	{ description: "The process that answers, and how many texts it has counted", annotations: { readOnlyHint: true } },
	() => ({ content: [{ type: "text", text: JSON.stringify({ pid: process.pid, calls }) }] }),
);

await server.connect(new StdioServerTransport());
