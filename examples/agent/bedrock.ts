import { defaultProvider } from "@aws-sdk/credential-provider-node";

/** A model of Amazon Bedrock that can use tools, or an inference profile of one. */
export const modelId: string = process.env.BEDROCK_MODEL_ID ?? "global.anthropic.claude-sonnet-4-6";

export const region: string = process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? "us-east-1";

/** What any program with the AWS SDK uses: environment variables, profiles, SSO, roles. */
export const credentials: ReturnType<typeof defaultProvider> = defaultProvider();

export async function hasCredentials(): Promise<boolean> {
	try {
		await credentials();
		return true;
	} catch {
		return false;
	}
}
