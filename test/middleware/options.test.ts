import { expect, test } from "vitest";
import { mcpStdioServer, mcpStdioServerValidateOptions } from "../../middleware/index.ts";

const params = { command: "node" };

test.each([
	[{ lifetimes: "request" }, "options.lifetimes is not an option"],
	[{ lifetime: "process" }, 'options.lifetime must be "request" or "environment"'],
	[{ standby: -1 }, "options.standby must be an integer of 0 or more"],
	[{ prewarm: "yes" }, "options.prewarm must be a boolean"],
	[{ streamifyResponse: 1 }, "options.streamifyResponse must be a boolean"],
	[{ agentCoreErrors: true }, 'options.agentCoreErrors must be "return" or "throw"'],
	[{ logger: console.log }, "options.logger must be a Powertools Logger (2.x)"],
	[{ logger: { info() {} } }, "options.logger must be a Powertools Logger (2.x)"],
	[{ tracer: {} }, "options.tracer must be a Powertools Tracer (2.x)"],
	[{ metrics: null }, "options.metrics must be Powertools Metrics (2.x)"],
	[{ deadline: 1 }, "options.deadline is not an option"],
])("%j are refused when the middleware is made, and by the validator", (options, message) => {
	expect(() => mcpStdioServer(params, options as never)).toThrow(TypeError);
	expect(() => mcpStdioServer(params, options as never)).toThrow(message);
	expect(() => mcpStdioServerValidateOptions(options as never)).toThrow(message);
});

test.each([[{}], [{ command: 1 }], [{ command: "node", arg: [] }]])("the params %j are refused", (wrong) => {
	expect(() => mcpStdioServer(wrong as never)).toThrow(TypeError);
});

test("undefined means default", () => {
	const options = {
		lifetime: undefined,
		logger: undefined,
		tracer: undefined,
		metrics: undefined,
		observer: undefined,
	};
	expect(() => mcpStdioServerValidateOptions(options)).not.toThrow();
});
