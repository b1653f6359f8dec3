import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";

type Alerts = { readonly features: readonly { readonly properties: { readonly headline: string } }[] };

/** Asks an MCP server for the alerts of an area, and prints their headlines. */
export async function printAlerts(transport: Transport, area: string): Promise<void> {
	const client = new Client({ name: "print-alerts", version: "1.0.0" });
	await client.connect(transport);
	try {
		const result = await client.callTool({ name: "get-active-alerts-of-area", arguments: { area } });
		const [content] = result.content as { readonly text: string }[];
		if (result.isError || content === undefined) throw new Error(content?.text ?? "The tool gave nothing");
		const { features } = JSON.parse(content.text) as Alerts;
		console.log(`${features.length} alerts for ${area}`);
		for (const { properties } of features) console.log(`- ${properties.headline}`);
	} finally {
		await client.close();
	}
}
