import { join } from "node:path";
import middy from "@middy/core";
import secretsManager from "@middy/secrets-manager";
import { npmServer } from "mcp-stdio-lambda";
import { mcpStdioServer } from "mcp-stdio-lambda/middy";

type Secrets = { readonly nasa: { readonly apiKey: string } };

export const handler = middy()
	.use(
		secretsManager({
			fetchData: { nasa: process.env.SECRET_ID ?? "" },
			// How long a rotated key may stay unnoticed.
			cacheExpiry: Number(process.env.SECRET_CACHE_MS ?? 300_000),
			setToContext: true,
		}),
	)
	.use(
		// A function: the key is known only once there is a request. Another key is another server.
		mcpStdioServer(({ context }) => {
			const { nasa } = context as unknown as Secrets;
			return npmServer("@ivotoby/openapi-mcp-server", [], {
				// In the environment of the child alone: not in its arguments, which any process can read.
				env: {
					OPENAPI_SPEC_PATH: join(import.meta.dirname, "openapi.json"),
					API_BASE_URL: process.env.API_BASE_URL ?? "https://api.nasa.gov",
					API_HEADERS: `X-Api-Key:${nasa.apiKey}`,
					VERBOSE: "false",
				},
			});
		}),
	);
