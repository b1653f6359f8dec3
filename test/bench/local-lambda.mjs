// The local Lambda with one function, which keeps the fixture server, in a process of its own. Tells the process that forked it
// its address, and ends with it.
import { fileURLToPath } from "node:url";
import { startLocalLambda } from "mcp-stdio-lambda/local";
import { wellBehaved } from "./subjects.mjs";

const lambda = await startLocalLambda({
	functions: {
		echo: {
			handler: fileURLToPath(new URL("../fixtures/functions/middleware.mjs", import.meta.url)),
			memorySizeMb: 1024,
			timeoutMs: 20_000,
			environment: { SERVER: JSON.stringify(wellBehaved.args), LIFETIME: "environment" },
		},
	},
});
process.send(lambda.endpoint);
process.once("disconnect", () => lambda.close());
