// Lambda's Invoke API at its least: answers every request with the same text, over connections that are kept alive. Tells
// the process that forked it its port, and ends with it.
import { createServer } from "node:http";

const server = createServer((request, response) => {
	let body = "";
	request.setEncoding("utf8").on("data", (text) => {
		body += text;
	});
	request.on("end", () => {
		const { id } = JSON.parse(body);
		const answer = JSON.stringify({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text: "Echo: hello" }] } });
		response.writeHead(200, {
			"content-type": "application/json",
			"content-length": Buffer.byteLength(answer),
			"x-amzn-requestid": "bench",
			"x-amz-executed-version": "$LATEST",
		});
		response.end(answer);
	});
});

server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => process.send(server.address().port));
process.once("disconnect", () => process.exit());
