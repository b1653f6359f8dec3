import { integer, type OptionRules, oneOf, trueOrFalse, validateOptions } from "../../../validate.ts";
import type { ResolvedFunction } from "../../options.ts";

/** A front that calls a function for each HTTP request: its URL is in `urls` of the local Lambda. */
export type LocalFrontOptions = {
	/**
	 * Which of AWS's fronts it is: each has events, results, limits and errors of its own.
	 *
	 * "functionUrl" is a Function URL, "httpApi" an API Gateway HTTP API with the payload format 2.0, "restApi" a REST API with
	 * the proxy integration, "loadBalancer" an Application Load Balancer.
	 */
	readonly kind: "functionUrl" | "httpApi" | "restApi" | "loadBalancer";
	/** The function that it calls. */
	readonly functionName: string;
	/**
	 * Whether the response is passed on while the function writes it: the Function URL's `InvokeMode: RESPONSE_STREAM`, the REST
	 * API's `ResponseTransferMode: STREAM`. Other kinds cannot.
	 *
	 * @default false
	 */
	readonly streaming?: boolean | undefined;
	/**
	 * The stage of an API, which is the first part of its URL's path.
	 *
	 * @default "$default" for an HTTP API, which adds no path; "prod" for a REST API
	 */
	readonly stage?: string | undefined;
	/**
	 * For a load balancer: whether `lambda.multi_value_headers.enabled` is set on its target group.
	 *
	 * @default false
	 */
	readonly multiValueHeaders?: boolean | undefined;
	/** The port to listen on; 0 takes a free one. @default 0 */
	readonly port?: number | undefined;
	/**
	 * The key that requests must be signed with (SigV4), as with AuthType or authorizer AWS_IAM. A load balancer has none.
	 *
	 * @default undefined, which asks for no signature
	 */
	readonly iam?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
};

export type ResolvedFront = {
	readonly name: string;
	readonly kind: LocalFrontOptions["kind"];
	readonly functionName: string;
	readonly streaming: boolean;
	/** "$default" where there is none. */
	readonly stage: string;
	readonly multiValueHeaders: boolean;
	readonly port: number;
	readonly iam: LocalFrontOptions["iam"];
	readonly region: string;
	readonly accountId: string;
};

const rules: OptionRules<LocalFrontOptions> = {
	kind: { ...oneOf("functionUrl", "httpApi", "restApi", "loadBalancer"), required: true },
	functionName: { expected: "the name of a function", accepts: (value) => typeof value === "string", required: true },
	streaming: trueOrFalse,
	stage: {
		expected: "a stage's name, of letters, digits, - and _",
		accepts: (value) => typeof value === "string" && /^(\$default|[\w-]{1,128})$/.test(value),
	},
	multiValueHeaders: trueOrFalse,
	port: integer(0, 65535),
	iam: {
		expected: "{ accessKeyId, secretAccessKey }, both strings",
		secret: true,
		accepts: (value) => {
			const { accessKeyId, secretAccessKey } = (value ?? {}) as Record<string, unknown>;
			return [accessKeyId, secretAccessKey].every((text) => typeof text === "string" && text !== "");
		},
	},
};

/** Which kinds have an option. */
const kinds: { readonly [option in "streaming" | "stage" | "multiValueHeaders" | "iam"]: readonly string[] } = {
	streaming: ["functionUrl", "restApi"],
	stage: ["httpApi", "restApi"],
	multiValueHeaders: ["loadBalancer"],
	iam: ["functionUrl", "httpApi", "restApi"],
};

/** Checks the options of a front and fills in what is left out; throws a `TypeError` that names the option. */
export function resolveFront(
	name: string,
	front: LocalFrontOptions,
	functions: readonly ResolvedFunction[],
	accountId: string,
): ResolvedFront {
	const where = `fronts.${name}`;
	validateOptions(where, front, rules);
	const { kind, functionName } = front;
	const fn = functions.find((candidate) => candidate.name === functionName);
	if (!fn) {
		const names = functions.map((candidate) => candidate.name).join(", ");
		throw new TypeError(`${where}.functionName: there is no function ${functionName}; there are ${names}`);
	}
	if (fn.tenantIsolation) {
		throw new TypeError(`${where}.functionName: ${functionName} has tenant isolation, and a request names no tenant`);
	}
	for (const [option, allowed] of Object.entries(kinds)) {
		const value = front[option as keyof LocalFrontOptions];
		if (value === undefined || value === false || allowed.includes(kind)) continue;
		throw new TypeError(`${where}.${option} is for ${allowed.join(" and ")}; this is a ${kind}`);
	}
	if (kind === "restApi" && front.stage === "$default") {
		throw new TypeError(`${where}.stage must be a name: a REST API has no $default`);
	}
	return {
		name,
		kind,
		functionName,
		streaming: front.streaming ?? false,
		stage: front.stage ?? (kind === "restApi" ? "prod" : "$default"),
		multiValueHeaders: front.multiValueHeaders ?? false,
		port: front.port ?? 0,
		iam: front.iam,
		region: fn.region,
		accountId,
	};
}
