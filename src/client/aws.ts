import { LambdaTransportError } from "./errors.ts";

/** What is used of the AWS SDK's client for Lambda. */
export type LambdaSdk = Pick<
	typeof import("@aws-sdk/client-lambda"),
	"InvokeCommand" | "InvokeWithResponseStreamCommand" | "LambdaClient"
>;

let sdk: Promise<LambdaSdk> | undefined;

/**
 * The AWS SDK, when it is first needed: an optional peer, so that a function which never calls another installs without it.
 * Rejects with CLIENT_MISCONFIGURED, in one sentence, where it is not installed.
 */
export function loadLambdaSdk(): Promise<LambdaSdk> {
	sdk ??= import("@aws-sdk/client-lambda").catch((cause: unknown) => {
		sdk = undefined;
		const what = isMissing(cause)
			? "the AWS SDK is not installed: npm install @aws-sdk/client-lambda"
			: `the AWS SDK cannot be loaded (${String(cause).slice(0, 300)}); install a newer one: npm install @aws-sdk/client-lambda`;
		throw new LambdaTransportError("CLIENT_MISCONFIGURED", what, {}, cause);
	});
	return sdk;
}

/** Smithy's signer, for `createSigV4Fetch`; rejects with a TypeError where it is not installed. */
export async function loadSigner(): Promise<typeof import("@smithy/signature-v4").SignatureV4> {
	try {
		return (await import("@smithy/signature-v4")).SignatureV4;
	} catch (cause) {
		throw new TypeError("createSigV4Fetch signs with @smithy/signature-v4: npm install @smithy/signature-v4", {
			cause,
		});
	}
}

function isMissing(error: unknown): boolean {
	return ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"].includes((error as { code?: string } | null)?.code ?? "");
}
