/** Writes each tool call to the function's log, and answers nothing: the server does. */
export async function logCalls(_event, { mcp }) {
	for (const { method, params } of mcp?.requests ?? []) {
		if (method === "tools/call") console.log(JSON.stringify({ tool: params?.name, arguments: params?.arguments }));
	}
}
