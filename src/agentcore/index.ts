/**
 * What AgentCore Gateway has to be told of a server, before it is deployed.
 *
 * @module mcp-stdio-lambda/agentcore
 */

import { requireNode } from "../node-version.ts";

export {
	type GatewaySchema,
	type GatewaySchemaLoss,
	type GatewayTool,
	type GatewayToolSchema,
	type GatewayToolSchemaOptions,
	type ListedTool,
	toGatewayToolSchema,
} from "./tool-schema.ts";

requireNode();
