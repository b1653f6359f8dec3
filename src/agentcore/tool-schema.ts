import { isObject } from "../jsonrpc.ts";
import { type OptionRules, trueOrFalse, validateOptions } from "../validate.ts";
import { type Expression, type Flat, factsOf, isAnything, typeOf } from "./flat.ts";
import { flatten, text, type Walk } from "./flatten.ts";
import type { GatewayType } from "./keywords.ts";

/** What is read of a tool as `tools/list` describes it. */
export type ListedTool = {
	readonly name: string;
	readonly title?: string | undefined;
	readonly description?: string | undefined;
	/** A JSON Schema, of whatever draft. */
	readonly inputSchema?: unknown;
	readonly outputSchema?: unknown;
};

/** A schema in AgentCore Gateway's language: it has these keywords and no others. */
export type GatewaySchema = {
	readonly type: "string" | "number" | "integer" | "boolean" | "array" | "object";
	readonly description?: string;
	readonly properties?: Readonly<Record<string, GatewaySchema>>;
	readonly required?: readonly string[];
	readonly items?: GatewaySchema;
};

/** A tool as AgentCore Gateway wants it described. */
export type GatewayTool = {
	readonly name: string;
	readonly description: string;
	readonly inputSchema: GatewaySchema;
	readonly outputSchema?: GatewaySchema;
};

/** Something that a tool's schema says and AgentCore Gateway's cannot. */
export type GatewaySchemaLoss = {
	readonly tool: string;
	/** Where it was, as a JSON pointer into the tool that was made, such as `/inputSchema/properties/city`. */
	readonly path: string;
	/** A keyword, such as `enum`, or a few words. */
	readonly lost: string;
	/** Whether the description of that place says it instead, so that a model knows it. */
	readonly described: boolean;
};

export type GatewayToolSchemaOptions = {
	/**
	 * Whether the schemas of the tools' results are given as well.
	 *
	 * @default false
	 */
	readonly outputSchema?: boolean | undefined;
};

/** The tools for AgentCore Gateway, and what was lost on the way. */
export type GatewayToolSchema = {
	readonly tools: readonly GatewayTool[];
	readonly losses: readonly GatewaySchemaLoss[];
};

const rules: OptionRules<GatewayToolSchemaOptions> = { outputSchema: trueOrFalse };

/**
 * Makes the tool schema that AgentCore Gateway wants for a Lambda target of what a server answers to `tools/list`.
 *
 * The gateway knows five keywords of JSON Schema (`type`, `properties`, `required`, `items`, `description`), and refuses a target
 * or drops a tool that has others. So references are resolved (a recursive one becomes an object), alternatives become what they have in
 * common, or the first of them, null goes, a type that is missing is inferred, and what remains (`enum`, `default`, ranges,
 * patterns, formats) is said at the end of the description. What is in the gateway's language already stays as it is.
 *
 * Throws a TypeError for tools that are no array and for wrong options; never for a schema, whatever is in it.
 *
 * @see https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-add-target-lambda.html
 * @example
 * import { npmServer, runStdioRequest } from "mcp-stdio-lambda";
 * import { type ListedTool, toGatewayToolSchema } from "mcp-stdio-lambda/agentcore";
 *
 * const server = npmServer("@modelcontextprotocol/server-everything");
 * const response = await runStdioRequest(server, { jsonrpc: "2.0", id: 1, method: "tools/list" });
 * if (!response || "error" in response) throw new Error("The server lists no tools");
 * const { tools, losses } = toGatewayToolSchema(response.result.tools as ListedTool[]);
 * for (const { tool, path, lost } of losses) console.error(`${tool} ${path}: ${lost}`);
 * console.log(JSON.stringify(tools, null, 2));
 */
export function toGatewayToolSchema(
	tools: readonly ListedTool[],
	options: GatewayToolSchemaOptions = {},
): GatewayToolSchema {
	if (!Array.isArray(tools)) throw new TypeError("tools must be an array, the tools of a result of tools/list");
	validateOptions("options", options, rules);
	const losses: GatewaySchemaLoss[] = [];
	const made = (tools as readonly unknown[]).flatMap((tool, index) => {
		const name = isObject(tool) ? tool.name : undefined;
		if (!isObject(tool) || typeof name !== "string" || name === "") {
			losses.push({ tool: "", path: "", lost: `the tool at index ${index}, which has no name`, described: false });
			return [];
		}
		const convert = (member: "inputSchema" | "outputSchema"): GatewaySchema =>
			toGatewaySchema(tool[member], `/${member}`, ({ path, lost, described }) =>
				losses.push({ tool: name, path, lost, described }),
			);
		const description = [tool.description, tool.title].find((text) => typeof text === "string" && text.trim() !== "");
		const inputSchema = convert("inputSchema");
		const withOutput = options.outputSchema === true && isObject(tool.outputSchema);
		return [
			{
				name,
				description: typeof description === "string" ? description : name,
				inputSchema,
				...(withOutput ? { outputSchema: convert("outputSchema") } : {}),
			},
		];
	});
	return { tools: made, losses };
}

type Tell = (loss: Omit<GatewaySchemaLoss, "tool">) => void;

/** Its root is an object, whatever it was. */
function toGatewaySchema(schema: unknown, path: string, tell: Tell): GatewaySchema {
	if (schema === undefined) return { type: "object", properties: {} };
	const walk: Walk = { root: schema, visits: 0 };
	const flat = flatten({ schema, above: [schema] }, walk, 0);
	const isObjects = isAnything(flat) || typeOf(flat) === "object";
	if (!isObjects || flat.isEmpty) {
		tell({
			path,
			lost: `a schema of ${flat.isEmpty ? "nothing" : typeOf(flat)}, which is none of arguments`,
			described: false,
		});
		return { type: "object" };
	}
	return write({ ...flat, types: ["object"] }, walk, path, 0, tell);
}

function write(flat: Flat, walk: Walk, path: string, depth: number, tell: Tell): GatewaySchema {
	for (const { lost, described } of distinct(flat.losses)) tell({ path, lost, described });
	if (isAnything(flat)) tell({ path, lost: "any value, which became a string", described: false });
	const type = typeOf(flat);
	const description = describe(flat.description, factsOf(flat));
	if (flat.types.length > 1 && !isNumeric(flat.types)) tell({ path, lost: "type, one of several", described: true });
	if (flat.properties && type !== "object") tell({ path, lost: "properties", described: false });
	if (flat.items && type !== "array") tell({ path, lost: "items", described: false });
	return {
		type,
		...(description === undefined ? {} : { description }),
		...(type === "object" ? writeProperties(flat, walk, path, depth, tell) : {}),
		...(type === "array" ? { items: writeItems(flat.items, walk, path, depth, tell) } : {}),
	};
}

function writeProperties(
	{ properties, required }: Flat,
	walk: Walk,
	path: string,
	depth: number,
	tell: Tell,
): Pick<GatewaySchema, "properties" | "required"> {
	const written = new Map<string, GatewaySchema>();
	for (const [name, expression] of properties ?? []) {
		const place = `${path}/properties/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
		const flat = flatten(expression, walk, depth + 1);
		if (flat.isEmpty) tell({ path: place, lost: "a property that can only be left out", described: false });
		else written.set(name, write(flat, walk, place, depth + 1, tell));
	}
	const known = required.filter((name) => written.has(name));
	for (const name of required) {
		if (!written.has(name))
			tell({ path, lost: `required ${JSON.stringify(name)}, which is no property`, described: false });
	}
	return {
		...(properties ? { properties: Object.fromEntries(written) } : {}),
		...(known.length > 0 ? { required: known } : {}),
	};
}

function writeItems(items: Expression | undefined, walk: Walk, path: string, depth: number, tell: Tell): GatewaySchema {
	const place = `${path}/items`;
	if (!items) tell({ path: place, lost: "any value, which became a string", described: false });
	const flat = flatten(items ?? text, walk, depth + 1);
	if (!flat.isEmpty) return write(flat, walk, place, depth + 1, tell);
	tell({ path: place, lost: "items that are never allowed", described: false });
	return { type: "string" };
}

function isNumeric(types: readonly GatewayType[]): boolean {
	return types.every((type) => type === "number" || type === "integer");
}

function distinct(losses: Flat["losses"]): Flat["losses"] {
	return [...new Map(losses.map((loss) => [JSON.stringify(loss), loss])).values()];
}

/** The description, and a sentence for each fact. */
function describe(description: string | undefined, facts: readonly string[]): string | undefined {
	if (facts.length === 0) return description;
	const said = facts.map((fact) => `${fact.charAt(0).toUpperCase()}${fact.slice(1)}.`).join(" ");
	if (description === undefined) return said;
	const whole = description.trimEnd();
	return `${whole}${/[.!?:]$/.test(whole) ? "" : "."} ${said}`;
}
