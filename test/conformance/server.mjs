// What the official conformance suite asks a server for, in the revision 2025-11-25: its tools, prompts and resources by name.
// https://github.com/modelcontextprotocol/conformance
import { setTimeout } from "node:timers/promises";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import {
	CallToolRequestSchema,
	CompleteRequestSchema,
	CreateMessageResultSchema,
	ElicitResultSchema,
	GetPromptRequestSchema,
	ListPromptsRequestSchema,
	ListResourcesRequestSchema,
	ListResourceTemplatesRequestSchema,
	ListToolsRequestSchema,
	ReadResourceRequestSchema,
	SetLevelRequestSchema,
	SubscribeRequestSchema,
	UnsubscribeRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
const wav = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";
const text = (value) => ({ type: "text", text: value });
const image = { type: "image", data: png, mimeType: "image/png" };
const resource = (uri, mimeType, value) => ({ type: "resource", resource: { uri, mimeType, text: value } });
const says = (...content) => ({ content });

const enums = {
	untitledSingle: { type: "string", enum: ["option1", "option2", "option3"] },
	titledSingle: {
		type: "string",
		oneOf: [
			{ const: "value1", title: "First Option" },
			{ const: "value2", title: "Second Option" },
		],
	},
	legacyEnum: { type: "string", enum: ["opt1", "opt2"], enumNames: ["Option One", "Option Two"] },
	untitledMulti: { type: "array", items: { type: "string", enum: ["option1", "option2"] } },
	titledMulti: { type: "array", items: { anyOf: [{ const: "value1", title: "First" }] } },
};
const defaults = {
	name: { type: "string", default: "John Doe" },
	age: { type: "integer", default: 30 },
	score: { type: "number", default: 95.5 },
	status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
	verified: { type: "boolean", default: true },
};
const person = {
	username: { type: "string", description: "User's response" },
	email: { type: "string", description: "User's email address" },
};

async function elicit(extra, message, properties, required = []) {
	const params = { message, requestedSchema: { type: "object", properties, required } };
	const { action, content } = await extra.sendRequest({ method: "elicitation/create", params }, ElicitResultSchema);
	return says(text(`User response: action=${action}, content=${JSON.stringify(content ?? {})}`));
}

const tools = {
	test_simple_text: () => says(text("This is a simple text response for testing.")),
	test_image_content: () => says(image),
	test_audio_content: () => says({ type: "audio", data: wav, mimeType: "audio/wav" }),
	test_embedded_resource: () =>
		says(resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")),
	test_multiple_content_types: () =>
		says(
			text("Multiple content types test:"),
			image,
			resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
		),
	test_tool_with_logging: async (_, { sendNotification }) => {
		for (const data of ["Tool execution started", "Tool processing data", "Tool execution completed"]) {
			await sendNotification({ method: "notifications/message", params: { level: "info", data } });
			await setTimeout(50);
		}
		return says(text("Logged"));
	},
	test_tool_with_progress: async (_, { sendNotification, _meta }) => {
		for (const progress of [0, 50, 100]) {
			const params = { progressToken: _meta?.progressToken, progress, total: 100 };
			if (_meta?.progressToken !== undefined) await sendNotification({ method: "notifications/progress", params });
			await setTimeout(50);
		}
		return says(text("Done"));
	},
	test_error_handling: () => ({
		isError: true,
		content: [text("This tool intentionally returns an error for testing")],
	}),
	test_sampling: async ({ prompt }, extra) => {
		const params = { messages: [{ role: "user", content: text(prompt) }], maxTokens: 100 };
		const { content } = await extra.sendRequest(
			{ method: "sampling/createMessage", params },
			CreateMessageResultSchema,
		);
		return says(text(`LLM response: ${content.text}`));
	},
	test_elicitation: ({ message }, extra) => elicit(extra, message, person, ["username", "email"]),
	test_elicitation_sep1034_defaults: (_, extra) => elicit(extra, "Please review", defaults),
	test_elicitation_sep1330_enums: (_, extra) => elicit(extra, "Please choose", enums),
	json_schema_2020_12_tool: () => says(text("Accepted")),
};
const withArguments = { test_sampling: "prompt", test_elicitation: "message" };
const inputSchemas = {
	json_schema_2020_12_tool: {
		$schema: "https://json-schema.org/draft/2020-12/schema",
		type: "object",
		$defs: { address: { type: "object", properties: { street: { type: "string" }, city: { type: "string" } } } },
		properties: { name: { type: "string" }, address: { $ref: "#/$defs/address" } },
		additionalProperties: false,
	},
};

function inputSchemaOf(name) {
	const argument = withArguments[name];
	if (argument) return { type: "object", properties: { [argument]: { type: "string" } }, required: [argument] };
	return inputSchemas[name] ?? { type: "object", properties: {} };
}

const user = (...contents) => contents.map((content) => ({ role: "user", content }));
const prompts = {
	test_simple_prompt: [[], () => user(text("This is a simple prompt for testing."))],
	test_prompt_with_arguments: [
		["arg1", "arg2"],
		({ arg1, arg2 }) => user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
	],
	test_prompt_with_embedded_resource: [
		["resourceUri"],
		({ resourceUri }) =>
			user(
				resource(resourceUri, "text/plain", "Embedded resource content for testing."),
				text("Please process the embedded resource above."),
			),
	],
	test_prompt_with_image: [[], () => user(image, text("Please analyze the image above."))],
};

const resources = {
	"test://static-text": {
		mimeType: "text/plain",
		text: "This is the content of the static text resource.",
	},
	"test://static-binary": { mimeType: "image/png", blob: png },
	"test://watched-resource": { mimeType: "text/plain", text: "Watched resource content" },
};

function read(uri) {
	const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
	if (id === undefined) return resources[uri];
	return { mimeType: "application/json", text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) };
}

const server = new Server(
	{ name: "conformance", version: "1.0.0" },
	{
		capabilities: { tools: {}, prompts: {}, resources: { subscribe: true }, logging: {}, completions: {} },
	},
);
server.setRequestHandler(ListToolsRequestSchema, () => ({
	tools: Object.keys(tools).map((name) => ({
		name,
		description: `The suite's ${name}`,
		inputSchema: inputSchemaOf(name),
	})),
}));
server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) =>
	tools[params.name](params.arguments ?? {}, extra),
);
server.setRequestHandler(ListPromptsRequestSchema, () => ({
	prompts: Object.entries(prompts).map(([name, [names]]) => ({
		name,
		description: `The suite's ${name}`,
		arguments: names.map((argument) => ({ name: argument, description: `The ${argument}`, required: true })),
	})),
}));
server.setRequestHandler(GetPromptRequestSchema, ({ params }) => ({
	messages: prompts[params.name][1](params.arguments ?? {}),
}));
server.setRequestHandler(ListResourcesRequestSchema, () => ({
	resources: Object.entries(resources).map(([uri, { mimeType }]) => ({ uri, mimeType, name: uri })),
}));
server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
	resourceTemplates: [{ uriTemplate: "test://template/{id}/data", name: "template", mimeType: "application/json" }],
}));
server.setRequestHandler(ReadResourceRequestSchema, ({ params: { uri } }) => ({ contents: [{ uri, ...read(uri) }] }));
server.setRequestHandler(CompleteRequestSchema, () => ({ completion: { values: [], total: 0, hasMore: false } }));
for (const schema of [SetLevelRequestSchema, SubscribeRequestSchema, UnsubscribeRequestSchema]) {
	server.setRequestHandler(schema, () => ({}));
}
await server.connect(new StdioServerTransport());
