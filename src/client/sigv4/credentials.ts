import type { SignatureV4 } from "@smithy/signature-v4";
import { loadLambdaSdk } from "../aws.ts";

/** Credentials, or a function that gets them. */
export type CredentialsOrProvider = ConstructorParameters<typeof SignatureV4>[0]["credentials"];

type Credentials = Exclude<CredentialsOrProvider, (...args: never[]) => unknown>;

// The AWS SDK asks for new credentials when the old ones have less than five minutes left.
const refreshBeforeMs = 300_000;

/** Credentials that are asked for once, and again when they are about to expire; calls at the same time share one request. */
export function keepCredentials(credentials: CredentialsOrProvider | undefined): () => Promise<Credentials> {
	if (typeof credentials === "object") return async () => credentials;
	const provider = credentials ?? loadDefaultProvider();
	let kept: Credentials | undefined;
	let asked: Promise<Credentials> | undefined;
	return async () => {
		if (kept && !isExpiring(kept)) return kept;
		asked ??= provider().finally(() => {
			asked = undefined;
		});
		kept = await asked;
		return kept;
	};
}

function isExpiring({ expiration }: Credentials): boolean {
	return expiration !== undefined && expiration.getTime() - Date.now() < refreshBeforeMs;
}

/** Where any program with the AWS SDK finds them. */
function loadDefaultProvider(): () => Promise<Credentials> {
	let provider: (() => Promise<Credentials>) | undefined;
	return async () => {
		const { LambdaClient } = await loadLambdaSdk();
		// Its own region is not used for anything, and must not be missing.
		provider ??= new LambdaClient({ region: "us-east-1" }).config.credentials;
		return await provider();
	};
}
