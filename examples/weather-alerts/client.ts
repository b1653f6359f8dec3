// The alerts of an area, asked of the function by this package's client: node client.ts <function> <area>
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { LambdaFunctionClientTransport } from "mcp-stdio-lambda/client";
import { printAlerts } from "./print-alerts.ts";

const [functionName = "", area = "TX"] = process.argv.slice(2);
await printAlerts(new LambdaFunctionClientTransport({ functionName }) as Transport, area);
