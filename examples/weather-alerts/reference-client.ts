// The same by the client of AWS's package, unchanged: node reference-client.ts <function> <area>
import { LambdaFunctionClientTransport } from "@aws/run-mcp-servers-with-aws-lambda";
import { printAlerts } from "./print-alerts.ts";

const [functionName = "", area = "TX"] = process.argv.slice(2);
const regionName = process.env.AWS_REGION ?? "us-east-1";
await printAlerts(new LambdaFunctionClientTransport({ functionName, regionName }), area);
