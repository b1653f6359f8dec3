import { untilInterrupted } from "../../deadline.ts";
import { callable, type OptionRules, text, validateOptions } from "../../validate.ts";
import { loadLambdaSdk, loadSigner } from "../aws.ts";
import { type CredentialsOrProvider, keepCredentials } from "./credentials.ts";
import { inferFromHost } from "./host.ts";
import {
	describeUrl,
	followRedirect,
	isRedirect,
	readRequest,
	type SignableRequest,
	toSignerRequest,
	unsignableHeaders,
} from "./request.ts";
import { Sha256 } from "./sha256.ts";

/** What requests are signed for, and with what. */
export type SigV4FetchOptions = {
	/** The service's signing name: `lambda`, `execute-api`, `bedrock-agentcore`. @default what the AWS host name tells */
	readonly service?: string | undefined;
	/** @default what the AWS host name tells, else AWS_REGION, AWS_DEFAULT_REGION or the profile */
	readonly region?: string | undefined;
	/**
	 * Credentials, or a function that gets them: asked again five minutes before they expire.
	 *
	 * @default what any program with the AWS SDK uses
	 */
	readonly credentials?: CredentialsOrProvider | undefined;
	/** The `fetch` that sends what is signed. @default the global one, at the time of the call */
	readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
};

const rules: OptionRules<SigV4FetchOptions> = {
	service: text,
	region: text,
	credentials: {
		expected: "an object with accessKeyId and secretAccessKey, or a function that gets one",
		secret: true,
		accepts: (value) => typeof value === "function" || isIdentity(value),
	},
	fetch: callable,
};

const maxRedirects = 20;
const maxSkewMs = 300_000;

// What AWS's check of the signature answers, which comes before anything is executed.
const signatureErrors: ReadonlySet<string> = new Set([
	"InvalidSignatureException",
	"SignatureDoesNotMatch",
	"RequestExpired",
	"RequestInTheFuture",
	"RequestTimeTooSkewed",
]);

/**
 * A `fetch` that signs requests with AWS Signature Version 4: for Function URLs, API Gateway and AgentCore with IAM.
 *
 * - The URL's query is sent in AWS's strict encoding (a space, also one written `+`, is `%20`); the path is sent as given.
 * - The body is read as a whole before it is signed. With the header `x-amz-content-sha256: UNSIGNED-PAYLOAD`, where the
 *   service accepts that, it is streamed.
 * - The caller's `Authorization` is replaced. Headers that proxies change are sent but not signed.
 * - A redirect within the origin is followed with a new signature; one to another origin rejects with a `TypeError`.
 *   `redirect: "manual"` and `"error"` are as in fetch.
 * - A 403 of AWS's signature check (by its `x-amzn-errortype`) whose `Date` is five minutes or more off corrects the clock
 *   of this `fetch`, and is tried once more, unless the body is a stream. Any other 403 is given back as it is.
 *
 * Rejects with a `TypeError` when service or region are neither given nor found, with the credentials' own error, and
 * with the signal's reason.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 * @example
 * import { Client } from "@modelcontextprotocol/sdk/client/index.js";
 * import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
 * import { createSigV4Fetch } from "mcp-stdio-lambda/client";
 *
 * const url = new URL("https://abcdefghij.lambda-url.eu-west-1.on.aws/mcp");
 * const client = new Client({ name: "my-app", version: "1.0.0" });
 * await client.connect(new StreamableHTTPClientTransport(url, { fetch: createSigV4Fetch() }));
 */
export function createSigV4Fetch(
	options: SigV4FetchOptions = {},
): (input: string | URL | Request, init?: RequestInit) => Promise<Response> {
	validateOptions("options", options, rules);
	const credentials = keepCredentials(options.credentials);
	let clockOffsetMs = 0;

	async function sign(request: SignableRequest, offsetMs: number): Promise<Headers> {
		const service = options.service ?? inferFromHost(request.url.hostname).service;
		if (!service) {
			throw new TypeError(
				`No service in the host name ${request.url.hostname}: give createSigV4Fetch one, such as { service: "lambda" }`,
			);
		}
		const signPathOnce = /^s3(-|express|$)/.test(service);
		const SignatureV4 = await loadSigner();
		const signer = new SignatureV4({
			service,
			region: options.region ?? (await findRegion(request.url.hostname)),
			credentials,
			sha256: Sha256,
			uriEscapePath: !signPathOnce,
		});
		const signed = await signer.sign(toSignerRequest(request, signPathOnce), {
			signingDate: new Date(Date.now() + offsetMs),
			unsignableHeaders: unsignableHeaders(request.headers),
		});
		const { host: _, ...headers } = signed.headers;
		return new Headers(headers);
	}

	// One request and its answer; once more when the answer says that the clock is wrong.
	async function send(request: SignableRequest, passedOn: RequestInit, retried = false): Promise<Response> {
		// Not as it is when the answer comes: another request may have corrected it by then.
		const signedOffsetMs = clockOffsetMs;
		const headers = await abortable(sign(request, signedOffsetMs), passedOn.signal);
		const { body } = request;
		const response = await (options.fetch ?? globalThis.fetch)(request.url.href, {
			...passedOn,
			method: request.method,
			headers,
			...(body && { body }),
			...(body instanceof ReadableStream && { duplex: "half" }),
		} as RequestInit);
		if (retried || !isSignatureError(response) || body instanceof ReadableStream) return response;
		const offsetMs = Date.parse(response.headers.get("date") ?? "") - Date.now();
		if (!(Math.abs(offsetMs - signedOffsetMs) >= maxSkewMs)) return response;
		clockOffsetMs = offsetMs;
		await response.body?.cancel();
		return send(request, passedOn, true);
	}

	return async function fetchSigned(input, init) {
		const passedOn = passOn(input, init);
		passedOn.signal?.throwIfAborted();
		let request = await abortable(readRequest(input, init), passedOn.signal);
		if (passedOn.redirect !== "follow") return send(request, passedOn);
		for (let followed = 0; ; followed++) {
			const response = await send(request, { ...passedOn, redirect: "manual" });
			if (!isRedirect(response)) return response;
			await response.body?.cancel();
			const target = followRedirect(request, response);
			if (followed === maxRedirects) {
				throw new TypeError(`More than ${maxRedirects} redirects, the last to ${describeUrl(target.url)}`);
			}
			request = target;
		}
	};
}

function isSignatureError({ status, headers }: Response): boolean {
	// "InvalidSignatureException:http://internal.amazon.com/…"
	const [name = ""] = (headers.get("x-amzn-errortype") ?? "").split(":");
	return status === 403 && signatureErrors.has(name);
}

function passOn(input: string | URL | Request, init: RequestInit | undefined): RequestInit {
	const {
		body: _body,
		headers: _headers,
		method: _method,
		duplex: _duplex,
		...rest
	} = (init ?? {}) as RequestInit & {
		duplex?: string;
	};
	const request = input instanceof Request ? input : undefined;
	return {
		...(request && { keepalive: request.keepalive, integrity: request.integrity }),
		...rest,
		signal: rest.signal === undefined ? (request?.signal ?? null) : rest.signal,
		redirect: rest.redirect ?? request?.redirect ?? "follow",
	};
}

async function findRegion(hostname: string): Promise<string> {
	const inferred = inferFromHost(hostname).region ?? (process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION);
	if (inferred) return inferred;
	try {
		// As any program with the AWS SDK finds it: in the profile.
		const { LambdaClient } = await loadLambdaSdk();
		return await new LambdaClient({}).config.region();
	} catch (error) {
		throw new TypeError(
			`No region in the host name ${hostname}, AWS_REGION, AWS_DEFAULT_REGION or the profile: give createSigV4Fetch a region`,
			{ cause: error },
		);
	}
}

// The signal ends the wait also where what is waited for knows no signal: credentials, a body that does not end.
function abortable<T>(promise: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
	return signal ? untilInterrupted(promise, signal, () => signal.reason) : promise;
}

function isIdentity(value: unknown): boolean {
	const identity = value as { readonly accessKeyId?: unknown; readonly secretAccessKey?: unknown } | null;
	return (
		typeof identity === "object" &&
		typeof identity?.accessKeyId === "string" &&
		typeof identity.secretAccessKey === "string"
	);
}
