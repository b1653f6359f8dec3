import { type StandIn, startStandIn } from "../infrastructure/stand-in.ts";

/** The keys that exist: which one Secrets Manager has, and which ones NASA's service accepts. */
export type Keys = { stored: string; accepted: string };

/** Stands in for AWS Secrets Manager with one secret. */
export async function startSecretsManager(secretId: string, keys: Keys): Promise<StandIn> {
	return await startStandIn((request, _url, body) => {
		const type = "application/x-amz-json-1.1";
		const { SecretId } = JSON.parse(body);
		if (request.headers["x-amz-target"] !== "secretsmanager.GetSecretValue" || SecretId !== secretId) {
			return { status: 400, type, body: { __type: "AccessDeniedException", Message: "not authorized" } };
		}
		const SecretString = JSON.stringify({ apiKey: keys.stored });
		return { type, body: { ARN: secretId, Name: "nasa", SecretString, VersionId: "1", VersionStages: ["AWSCURRENT"] } };
	});
}

/** Stands in for api.nasa.gov: the picture of a day, for whoever has the key. */
export async function startPictureService(keys: Keys): Promise<StandIn> {
	return await startStandIn((request, url) => {
		if (request.headers["x-api-key"] !== keys.accepted) {
			const error = { code: "API_KEY_INVALID", message: "An invalid api_key was supplied." };
			return { status: 403, body: { error } };
		}
		return {
			body: {
				date: url.searchParams.get("date") ?? "2026-11-24",
				title: "The Horsehead Nebula",
				explanation: "A dark cloud of dust in front of glowing gas.",
				media_type: "image",
				service_version: "v1",
				url: "https://apod.nasa.gov/apod/image/horsehead.jpg",
			},
		};
	});
}
