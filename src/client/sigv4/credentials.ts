import { memoize } from "@smithy/core/config";
import type { SignatureV4 } from "@smithy/signature-v4";

/** Credentials, or a function that gets them. */
export type CredentialsOrProvider = ConstructorParameters<typeof SignatureV4>[0]["credentials"];

type Credentials = Exclude<CredentialsOrProvider, (...args: never[]) => unknown>;

// The AWS SDK asks for new credentials when the old ones have less than five minutes left.
const refreshBeforeMs = 300_000;

/** Credentials that are asked for once, and again when they are about to expire; calls at the same time share one request. */
export function keepCredentials(credentials: CredentialsOrProvider | undefined): () => Promise<Credentials> {
	if (typeof credentials === "object") return async () => credentials;
	const provider = credentials ?? loadDefaultProvider();
	return memoize(
		() => provider(),
		({ expiration }) => expiration !== undefined && expiration.getTime() - Date.now() < refreshBeforeMs,
		({ expiration }) => expiration !== undefined,
	);
}

function loadDefaultProvider(): () => Promise<Credentials> {
	let provider: (() => Promise<Credentials>) | undefined;
	return async () => {
		const { defaultProvider } = await import("@aws-sdk/credential-provider-node");
		provider ??= defaultProvider();
		return await provider();
	};
}
