import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type GatewayToolSchemaOptions, type ListedTool, toGatewayToolSchema } from "../../src/agentcore/index.ts";
import { closeStdioServers, npmServer, runStdioRequest } from "../../src/index.ts";
import { resultOf } from "../support/servers.ts";

/** The schema of a tool's arguments, and what was lost of it. */
function convert(inputSchema: unknown) {
	const { tools, losses } = toGatewayToolSchema([{ name: "tool", description: "A tool", inputSchema }]);
	return { schema: tools[0]?.inputSchema, losses: losses.map(({ path, lost }) => `${path}: ${lost}`) };
}

/** The same for a property `a` in it. */
function convertProperty(a: unknown, root: Record<string, unknown> = {}) {
	const { schema, losses } = convert({ type: "object", properties: { a }, ...root });
	return { a: schema?.properties?.a, losses: losses.map((loss) => loss.replace("/inputSchema/properties/a", "a")) };
}

describe("a tool for AgentCore Gateway", () => {
	test("has a name, a description and the schema of its arguments", () => {
		const inputSchema = {
			type: "object",
			properties: {
				city: { type: "string", description: "Where" },
				days: { type: "array", items: { type: "integer" } },
			},
			required: ["city"],
		};
		const listed = {
			name: "forecast",
			title: "Forecast",
			description: "Tells the weather",
			inputSchema,
			outputSchema: { type: "object" },
			annotations: { readOnlyHint: true },
			_meta: {},
		};
		expect(toGatewayToolSchema([listed])).toStrictEqual({
			tools: [{ name: "forecast", description: "Tells the weather", inputSchema }],
			losses: [],
		});
	});

	test.each([
		[{ name: "a", title: "A title" }, "A title"],
		[{ name: "a", description: " ", title: "A title" }, "A title"],
		[{ name: "a" }, "a"],
		[{ name: "a", description: 7 }, "a"],
	])("has a description in any case: %j", (tool, description) => {
		expect(toGatewayToolSchema([tool as ListedTool]).tools).toEqual([
			{ name: "a", description, inputSchema: { type: "object", properties: {} } },
		]);
	});

	test("has the schema of its result where that is asked for", () => {
		const outputSchema = { type: "object", properties: { celsius: { type: "number", minimum: -273.15 } } };
		const listed = [{ name: "a", inputSchema: { type: "object" }, outputSchema }, { name: "b" }];
		const { tools, losses } = toGatewayToolSchema(listed, { outputSchema: true });
		expect(tools[0]?.outputSchema).toEqual({
			type: "object",
			properties: { celsius: { type: "number", description: "At least -273.15." } },
		});
		expect(tools[1]).not.toHaveProperty("outputSchema");
		const path = "/outputSchema/properties/celsius";
		expect(losses).toEqual([{ tool: "a", path, lost: "minimum", described: true }]);
	});

	test("is left out without a name, and that is told", () => {
		const { tools, losses } = toGatewayToolSchema([null, { name: "" }, { name: "a" }] as unknown as ListedTool[]);
		expect(tools.map(({ name }) => name)).toEqual(["a"]);
		expect(losses.map(({ lost }) => lost)).toEqual([
			"the tool at index 0, which has no name",
			"the tool at index 1, which has no name",
		]);
	});

	test.each([
		["tools", { tools: [] }, {}],
		["options", [], { outputSchemas: true }],
		["options.outputSchema", [], { outputSchema: "yes" }],
	])("is not made of wrong %s", (name, tools, options) => {
		const make = () => toGatewayToolSchema(tools as [], options as GatewayToolSchemaOptions);
		expect(make).toThrow(TypeError);
		expect(make).toThrow(name);
	});
});

describe("a reference", () => {
	const $defs = { City: { type: "string", description: "A city" }, "a/b~c": { type: "integer" } };

	test.each([
		["into the definitions", "#/$defs/City", { type: "string", description: "A city" }],
		["with escapes", "#/$defs/a~1b~0c", { type: "integer" }],
		["with percent signs", "#/%24defs/City", { type: "string", description: "A city" }],
		["to an anchor", "#there", { type: "boolean" }],
		["to an id", "https://example.com/there", { type: "number" }],
	])("is resolved: %s", (_, $ref, expected) => {
		const others = {
			X: { $anchor: "there", type: "boolean" },
			Y: { $id: "https://example.com/there", type: "number" },
		};
		expect(convertProperty({ $ref }, { $defs: { ...$defs, ...others } })).toEqual({ a: expected, losses: [] });
	});

	test("may have members beside it, which come first", () => {
		const { a } = convertProperty({ $ref: "#/$defs/City", description: "From where", minLength: 2 }, { $defs });
		expect(a).toEqual({ type: "string", description: "From where. Characters: at least 2." });
	});

	test("that is recursive becomes an object", () => {
		const Tree = {
			type: "object",
			properties: { name: { type: "string" }, children: { type: "array", items: { $ref: "#/$defs/Tree" } } },
		};
		expect(convertProperty({ $ref: "#/$defs/Tree" }, { $defs: { Tree } })).toEqual({
			a: {
				type: "object",
				properties: { name: { type: "string" }, children: { type: "array", items: { type: "object" } } },
			},
			losses: ['a/properties/children/items: $ref "#/$defs/Tree", which is recursive'],
		});
		expect(convertProperty({ $ref: "#" }).losses).toEqual(['a: $ref "#", which is recursive']);
		expect(convertProperty({ $ref: "#/$defs/A" }, { $defs: { A: { $ref: "#/$defs/A" } } }).a).toEqual({
			type: "object",
		});
	});

	test("may be made twice, side by side", () => {
		const { schema, losses } = convert({
			type: "object",
			properties: { from: { $ref: "#/$defs/City" }, to: { $ref: "#/$defs/City" } },
			$defs,
		});
		expect(schema?.properties?.to).toEqual(schema?.properties?.from);
		expect(losses).toEqual([]);
	});

	test.each(["#/$defs/None", "https://example.com/elsewhere", "#nowhere", 7])(
		"that leads nowhere is lost: %s",
		($ref) => {
			const { a, losses } = convertProperty({ $ref });
			expect(a).toEqual({ type: "string" });
			expect(losses[0]).toBe(`a: $ref ${JSON.stringify($ref)}, which is not in the schema`);
		},
	);

	test("that doubles at each step ends", () => {
		const $defs = Object.fromEntries(
			Array.from({ length: 40 }, (_, index) => {
				const $ref = `#/$defs/${index + 1}`;
				return [index, { type: "object", properties: { a: { $ref }, b: { $ref } } }];
			}),
		);
		const { schema, losses } = convert({ $ref: "#/$defs/0", $defs });
		expect(JSON.stringify(schema).length).toBeLessThan(2_000_000);
		expect(losses.some((loss) => loss.endsWith("what is nested too deeply"))).toBe(true);
		expect(convert(schema)).toEqual({ schema, losses: [] });
	});
});

describe("alternatives", () => {
	test("lose null, and become the only one that is left", () => {
		const integer = { type: "integer", description: "How many" };
		expect(convertProperty({ anyOf: [integer, { type: "null" }], default: null, title: "A" })).toEqual({
			a: integer,
			losses: ["a: null"],
		});
		for (const nothing of [{ const: null }, { enum: [null] }, { type: ["null"] }, { $ref: "#/$defs/None" }]) {
			const $defs = { None: { type: "null" } };
			expect(convertProperty({ oneOf: [nothing, integer] }, { $defs }).a).toEqual(integer);
		}
	});

	test("of one type have what all have", () => {
		const text = {
			title: "Text",
			type: "object",
			properties: { kind: { const: "text" }, text: { type: "string" } },
			required: ["kind", "text"],
		};
		const image = {
			title: "Image",
			type: "object",
			properties: { kind: { const: "image" }, url: { type: "string" } },
			required: ["kind"],
		};
		expect(convertProperty({ oneOf: [text, image] })).toEqual({
			a: {
				type: "object",
				description: "One of these: Text, an object {kind, text}; Image, an object {kind, url?}.",
				properties: {
					kind: { type: "string", description: 'One of: "text", "image".' },
					text: { type: "string" },
					url: { type: "string" },
				},
				required: ["kind"],
			},
			losses: expect.arrayContaining(["a: oneOf", "a/properties/kind: const"]),
		});
	});

	test("of several types become the first, and the description names the others", () => {
		expect(
			convertProperty({
				description: "Whom",
				anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }],
			}),
		).toEqual({
			a: { type: "string", description: "Whom. The server also takes: an array." },
			losses: ["a: anyOf"],
		});
		expect(convertProperty({ type: ["null", "boolean", "string"] })).toEqual({
			a: { type: "boolean", description: "The server also takes: a string." },
			losses: ["a: null", "a: type, one of several"],
		});
	});

	test("that are numbers become a number, and nothing is lost", () => {
		const number = { a: { type: "number" }, losses: [] };
		expect(convertProperty({ anyOf: [{ type: "integer" }, { type: "number" }] })).toEqual(number);
		expect(convertProperty({ type: ["integer", "number"] })).toEqual(number);
	});

	test("of values become a list of them", () => {
		expect(convertProperty({ anyOf: [{ const: "a" }, { const: "b" }] }).a).toEqual({
			type: "string",
			description: 'One of: "a", "b".',
		});
		expect(
			convertProperty({ oneOf: [{ const: 1, title: "low" }, { const: 2, description: "high" }, { const: 3 }] }).a,
		).toEqual({
			type: "number",
			description: "One of these: 1 (low); 2 (high); 3.",
		});
	});

	test("that all hold are merged", () => {
		const base = {
			type: "object",
			properties: { a: { type: "string", minLength: 1 }, b: { type: "number" } },
			required: ["a"],
		};
		const more = { properties: { a: { description: "The first" }, b: { type: "integer" } }, required: ["b"] };
		expect(convert({ allOf: [base, more], properties: { c: { type: "boolean" } } })).toEqual({
			schema: {
				type: "object",
				properties: {
					c: { type: "boolean" },
					a: { type: "string", description: "The first. Characters: at least 1." },
					b: { type: "integer" },
				},
				required: ["a", "b"],
			},
			losses: ["/inputSchema/properties/a: minLength"],
		});
	});
});

describe("what a schema of the gateway cannot say", () => {
	test.each<[Record<string, unknown>, string]>([
		[{ type: "string", const: "a" }, 'Always "a".'],
		[{ type: "string", enum: ["a", "b", null] }, 'One of: "a", "b".'],
		[{ type: "integer", default: 5 }, "Default: 5."],
		[{ type: "object", default: { a: [1] } }, 'Default: {"a":[1]}.'],
		[{ type: "number", minimum: 0, maximum: 1.5 }, "At least 0. At most 1.5."],
		[{ type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1 }, "More than 0. Less than 1."],
		[{ type: "number", minimum: 0, exclusiveMinimum: true }, "At least 0. Not the minimum itself."],
		[{ type: "integer", multipleOf: 5 }, "A multiple of 5."],
		[{ type: "string", minLength: 1, maxLength: 9 }, "Characters: at least 1. Characters: at most 9."],
		[{ type: "string", pattern: "^a+$" }, "Matches the regular expression ^a+$."],
		[{ type: "string", format: "date-time" }, "Format: date-time."],
		[
			{ type: "string", contentEncoding: "base64", contentMediaType: "image/png" },
			"Encoding: base64. Media type: image/png.",
		],
		[{ type: "string", examples: ["a", "b"] }, 'Examples: "a", "b".'],
		[{ type: "string", deprecated: true }, "Deprecated."],
		[
			{ type: "array", items: { type: "string" }, minItems: 1, maxItems: 2, uniqueItems: true },
			"Items: at least 1. Items: at most 2. No item twice.",
		],
		[{ type: "object", minProperties: 1 }, "Properties: at least 1."],
		[{ type: "object", additionalProperties: { type: "number" } }, "Any other property: a number."],
	])("is said by the description: %j", (schema, said) => {
		expect(convertProperty(schema).a?.description).toBe(said);
		expect(convertProperty({ ...schema, description: "What it is" }).a?.description).toBe(`What it is. ${said}`);
		expect(convertProperty({ ...schema, description: "What is it? " }).a?.description).toBe(`What is it? ${said}`);
		expect(convertProperty(schema).losses.length).toBeGreaterThan(0);
	});

	test("is listed with its place, and whether the description says it", () => {
		const properties = { "a/b~c": { type: "array", items: { type: "string", enum: ["x"], "x-order": 1 } } };
		const inputSchema = { type: "object", properties, additionalProperties: false };
		const path = "/inputSchema/properties/a~1b~0c/items";
		expect(toGatewayToolSchema([{ name: "t", inputSchema }]).losses).toEqual([
			{ tool: "t", path: "/inputSchema", lost: "additionalProperties", described: false },
			{ tool: "t", path, lost: "enum", described: true },
			{ tool: "t", path, lost: "x-order", described: false },
		]);
	});

	test.each([
		["not", { type: "string", not: { const: "a" } }],
		["if", { type: "string", if: {} }],
		["propertyNames", { type: "object", propertyNames: { pattern: "^a" } }],
		["minimum", { type: "number", minimum: "1" }],
		["enum", { type: "string", enum: "a" }],
		["allOf", { type: "string", allOf: [] }],
		["description", { type: "string", description: 7 }],
		['type "file"', { type: "file" }],
	])("is lost: %s", (lost, schema) => {
		expect(convertProperty(schema).losses).toContain(`a: ${lost}`);
		expect(convertProperty(schema).a).toStrictEqual({ type: schema.type === "file" ? "string" : schema.type });
	});

	test.each([
		{ $schema: "https://json-schema.org/draft/2020-12/schema", $id: "https://example.com/x", $comment: "No" },
		{ title: "A title", $defs: { A: { enum: [1] } }, additionalProperties: true },
		{ default: null, uniqueItems: false, deprecated: false },
	])("is no loss where it says nothing: %j", (schema) => {
		expect(convertProperty({ type: "object", ...schema })).toEqual({ a: { type: "object" }, losses: [] });
	});
});

describe("a type", () => {
	test.each([
		["object", { properties: {} }],
		["object", { additionalProperties: { type: "string" } }],
		["object", { patternProperties: {} }],
		["array", { items: { type: "string" } }],
		["array", { minItems: 1 }],
		["number", { enum: [1, 2.5] }],
		["number", { minimum: 1 }],
		["boolean", { const: true }],
		["string", { enum: ["a", 1] }],
		["string", { format: "uri" }],
		["string", {}],
		["string", true],
		["string", 7],
	])("is inferred: %s for %j", (type, schema) => {
		expect(convertProperty(schema).a?.type).toBe(type);
	});

	test("of items is a string where nothing is known", () => {
		const string = { type: "array", items: { type: "string" } };
		for (const array of [{ type: "array" }, { type: "array", items: {} }, { type: "array", items: true }]) {
			expect(convertProperty(array).a).toEqual(string);
		}
		expect(convertProperty({ type: "array", items: {} }).losses).toEqual(["a/items: any value, which became a string"]);
		expect(convertProperty({ type: "array" }).losses).toEqual(["a/items: any value, which became a string"]);
	});

	test("of a tuple is what its items have in common", () => {
		const a = {
			type: "array",
			description: "Items in this order: an integer; a number.",
			items: { type: "number" },
		};
		const parts = [{ type: "integer" }, { type: "number" }];
		expect(convertProperty({ type: "array", prefixItems: parts, items: false }).a).toEqual(a);
		expect(convertProperty({ type: "array", items: parts }).a).toEqual(a);
	});

	test("of the root is object", () => {
		for (const schema of [{}, true, { description: "None" }, { type: ["object", "null"] }]) {
			expect(convert(schema).schema?.type).toBe("object");
		}
		expect(convert({ type: "string" })).toEqual({
			schema: { type: "object" },
			losses: ["/inputSchema: a schema of string, which is none of arguments"],
		});
		expect(convert({ type: "null" }).schema).toEqual({ type: "object" });
	});
});

test("a property that can only be null, or nothing, is left out and not required", () => {
	const properties = { a: { type: "null" }, b: false, c: { type: "string" } };
	const { schema, losses } = convert({ type: "object", properties, required: ["a", "b", "c", "d"] });
	expect(schema).toEqual({ type: "object", properties: { c: { type: "string" } }, required: ["c"] });
	expect(losses).toContain("/inputSchema/properties/a: a property that can only be left out");
	expect(losses).toContain('/inputSchema: required "d", which is no property');
});

test("a property may be called as Object's own are", () => {
	const properties = JSON.parse('{"__proto__":{"type":"number"},"constructor":{"type":"string"}}');
	const { schema } = convert({ type: "object", properties, required: ["__proto__"] });
	expect(JSON.stringify(schema?.properties)).toBe('{"__proto__":{"type":"number"},"constructor":{"type":"string"}}');
	expect(convertProperty({ type: "string", toString: 1, __proto__: null }).a).toEqual({ type: "string" });
});

test("a schema may be nested however deeply, or within itself", () => {
	let deep: Record<string, unknown> = { type: "string" };
	for (let level = 0; level < 20_000; level += 1) {
		deep = level % 2 === 0 ? { type: "object", properties: { a: deep } } : { anyOf: [deep, { type: "null" }] };
	}
	const cyclic: Record<string, unknown> = { type: "object", properties: {} };
	cyclic.properties = { a: cyclic, b: { enum: [cyclic] } };
	for (const given of [deep, { type: "object", properties: { a: { const: deep } } }, cyclic]) {
		const { schema } = convert(given);
		expect(convert(schema)).toEqual({ schema, losses: [] });
	}
});

const keywords = new Set(["type", "properties", "required", "items", "description"]);
const types = new Set(["string", "number", "integer", "boolean", "array", "object"]);

/** Fails for what AgentCore Gateway would refuse: its SDK's `SchemaDefinition`. */
function expectAllowed(schema: unknown): void {
	expect(schema).toBeTypeOf("object");
	const node = schema as Record<string, unknown>;
	expect(Object.keys(node).filter((keyword) => !keywords.has(keyword))).toEqual([]);
	expect(types).toContain(node.type);
	if ("description" in node) expect(node.description).toMatch(/\S/);
	if ("properties" in node || "required" in node) expect(node.type).toBe("object");
	expect("items" in node).toBe(node.type === "array");
	const properties = (node.properties ?? {}) as Record<string, unknown>;
	for (const name of (node.required ?? []) as string[]) expect(Object.hasOwn(properties, name)).toBe(true);
	for (const child of Object.values(properties)) expectAllowed(child);
	if ("items" in node) expectAllowed(node.items);
}

const typeNames = fc.constantFrom("string", "number", "integer", "boolean", "array", "object", "null", "file");
const names = fc.constantFrom("a", "b", "__proto__", "constructor", "a/b");
const references = fc.constantFrom("#", "#/$defs/a", "#/$defs/b", "#/properties/a", "#x", "#/none", "https://x");

/** Schemas of every kind, wrong ones and recursive ones among them. */
const { schema: anySchema } = fc.letrec<{ schema: unknown }>((tie) => {
	const schema = tie("schema");
	const someSchemas = fc.array(schema, { maxLength: 3 });
	const oddly = <T>(arbitrary: fc.Arbitrary<T>) =>
		fc.oneof({ weight: 9, arbitrary }, { weight: 1, arbitrary: fc.jsonValue() });
	const members: Record<string, fc.Arbitrary<unknown>> = {
		type: fc.oneof(typeNames, fc.array(typeNames, { maxLength: 3 })),
		$ref: references,
		allOf: someSchemas,
		anyOf: someSchemas,
		oneOf: someSchemas,
		properties: fc.dictionary(names, schema, { maxKeys: 3 }),
		required: fc.array(names, { maxLength: 3 }),
		items: fc.oneof(schema, someSchemas),
		prefixItems: someSchemas,
		additionalProperties: schema,
		$defs: fc.dictionary(names, schema, { maxKeys: 2 }),
		enum: fc.array(fc.jsonValue(), { maxLength: 3 }),
		const: fc.jsonValue(),
		default: fc.jsonValue(),
		description: fc.string(),
		title: fc.string(),
		$anchor: fc.constant("x"),
		nullable: fc.boolean(),
		format: fc.string(),
		minimum: fc.double(),
		pattern: fc.string(),
		not: schema,
	};
	const object = fc.record(
		Object.fromEntries(Object.entries(members).map(([name, arbitrary]) => [name, oddly(arbitrary)])),
		{ requiredKeys: [] },
	);
	return {
		schema: fc.oneof(
			{ maxDepth: 4, depthIdentifier: "schema" },
			fc.constantFrom<unknown>({}, true, false, null, 7),
			object,
		),
	};
});

test("whatever the schema is, the gateway's language is what comes of it, and all of it stays as it is", () => {
	fc.assert(
		fc.property(anySchema, (inputSchema) => {
			const listed = [{ name: "tool", inputSchema, outputSchema: inputSchema }];
			const made = toGatewayToolSchema(listed, { outputSchema: true }).tools;
			for (const tool of made) {
				expectAllowed(tool.inputSchema);
				expect(tool.inputSchema.type).toBe("object");
				if (tool.outputSchema) expectAllowed(tool.outputSchema);
			}
			expect(toGatewayToolSchema(made, { outputSchema: true })).toEqual({ tools: made, losses: [] });
		}),
		{ numRuns: 1000 },
	);
});

test("the tools of the official test server lose nothing that their descriptions do not say", async () => {
	const response = await runStdioRequest(npmServer("@modelcontextprotocol/server-everything"), {
		jsonrpc: "2.0",
		id: 1,
		method: "tools/list",
	});
	await closeStdioServers();
	const { tools, losses } = toGatewayToolSchema(resultOf(response).tools);
	expect(tools.length).toBeGreaterThan(5);
	for (const { inputSchema } of tools) expectAllowed(inputSchema);
	expect(losses.length).toBeGreaterThan(5);
	expect(losses.filter(({ described }) => !described)).toEqual([]);
});
