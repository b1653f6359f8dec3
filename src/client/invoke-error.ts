import { type Execution, LambdaTransportError, type LambdaTransportErrorCode } from "./errors.ts";
import { functionFailure, shorten } from "./function-error.ts";
import { isThrottling } from "./throttling.ts";

/** What is read of an error of the AWS SDK; each of its parts may be missing. */
type SdkError = {
	readonly name?: string;
	readonly message?: string;
	/** Of Node.js: `ECONNRESET`. */
	readonly code?: string;
	/** Of Node.js: `connect`, `getaddrinfo`. */
	readonly syscall?: string;
	/** Of an AggregateError: one for each address that was tried. */
	readonly errors?: readonly unknown[];
	readonly cause?: unknown;
	/** Of a TooManyRequestsException. */
	readonly Reason?: string;
	readonly retryAfterSeconds?: string;
	/** Of what a function that has failed leaves as its result. */
	readonly errorType?: unknown;
	readonly errorMessage?: unknown;
	readonly $metadata?: {
		readonly httpStatusCode?: number;
		readonly requestId?: string;
		readonly clockSkewCorrected?: boolean;
	};
};

type Meaning = { readonly code: LambdaTransportErrorCode; readonly execution: Execution; readonly say: string };

const notReady = (say: string): Meaning => ({ code: "NOT_READY", execution: "none", say });
const misconfigured = (say: string): Meaning => ({ code: "FUNCTION_MISCONFIGURED", execution: "none", say });
const refused = (say: string): Meaning => ({ code: "INVALID_REQUEST", execution: "none", say });

const network = "it could not be connected to its VPC yet; check its subnets and security groups if this stays";
const disk = "its file system could not be mounted in time; check the mount targets and the network if this stays";
const tooLarge: Meaning = {
	code: "REQUEST_TOO_LARGE",
	execution: "none",
	say: "the request is over Lambda's limit of 6 MB",
};
const denied: Meaning = {
	code: "ACCESS_DENIED",
	execution: "none",
	say: "access denied; the credentials need lambda:InvokeFunction on this function",
};
const invalidCredentials: Meaning = {
	code: "ACCESS_DENIED",
	execution: "none",
	say: "the credentials are not valid, or have expired; renew them",
};

/** The errors of Invoke by name: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors */
const meanings: ReadonlyMap<string, Meaning> = new Map([
	["CodeArtifactUserPendingException", notReady("its code is still being provisioned")],
	["SnapStartNotReadyException", notReady("its SnapStart snapshot is not ready yet")],
	["ResourceConflictException", notReady("it is being created or updated")],
	["SnapStartTimeoutException", notReady("its SnapStart snapshot could not be restored in time")],
	["EFSMountConnectivityException", notReady(disk)],
	["EFSMountTimeoutException", notReady(disk)],
	["S3FilesMountConnectivityException", notReady(disk)],
	["S3FilesMountTimeoutException", notReady(disk)],
	["ENINotReadyException", notReady(network)],
	["ENILimitReachedException", notReady("the account has no network interface left for it; ask AWS for more")],
	["EC2ThrottledException", notReady("Amazon EC2 throttled Lambda while it was started")],
	["EC2UnexpectedException", notReady("Amazon EC2 failed while it was started")],
	["ResourceNotReadyException", notReady("it is inactive, and is being set up again")],
	["SubnetIPAddressLimitReachedException", notReady("a subnet has no address left for it; use a larger subnet")],
	["EC2AccessDeniedException", misconfigured("its role may not manage network interfaces")],
	["InvalidSubnetIDException", misconfigured("a subnet of its VPC configuration does not exist")],
	["InvalidSecurityGroupIDException", misconfigured("a security group of its VPC configuration does not exist")],
	["InvalidRuntimeException", misconfigured("its runtime or runtime version is not supported")],
	["InvalidZipFileException", misconfigured("its deployment package could not be unpacked")],
	["KMSAccessDeniedException", misconfigured("its KMS key may not be used; check the key's policy")],
	["KMSDisabledException", misconfigured("its KMS key is disabled")],
	["KMSInvalidStateException", misconfigured("its KMS key is in a state in which it cannot be used")],
	["KMSNotFoundException", misconfigured("its KMS key does not exist")],
	["CodeArtifactUserFailedException", misconfigured("provisioning of its code failed; deploy it again")],
	["CodeArtifactUserDeletedException", misconfigured("its code was removed; deploy it again")],
	["SnapStartException", misconfigured("its SnapStart snapshot could not be made; its log has the cause")],
	["SnapStartRegenerationFailureException", misconfigured("its SnapStart snapshot could not be made again")],
	["EFSIOException", misconfigured("its file system failed while it was read or written")],
	["EFSMountFailureException", misconfigured("its file system could not be mounted; check its permissions")],
	["S3FilesMountFailureException", misconfigured("its file system could not be mounted; check its permissions")],
	["NoPublishedVersionException", misconfigured("it has no published version; publish one, or name another qualifier")],
	["ServiceQuotaExceededException", misconfigured("a quota of the account is used up")],
	["DurableExecutionAlreadyStartedException", refused("a durable execution of that name has started already")],
	["InvalidParameterValueException", refused("Lambda did not accept a parameter of the call")],
	["InvalidRequestContentException", refused("Lambda did not accept the request's content")],
	["ModeNotSupportedException", refused("it does not support this kind of invocation")],
	["UnsupportedMediaTypeException", refused("Lambda did not accept the request's content type")],
	["RecursiveInvocationException", refused("Lambda stopped a loop of functions that call each other")],
	["ValidationException", refused("Lambda did not accept a parameter of the call")],
	["RequestTooLargeException", tooLarge],
	["SerializedRequestEntityTooLargeException", tooLarge],
	[
		"ResourceNotFoundException",
		{
			code: "NOT_FOUND",
			execution: "none",
			say: "not found; check the name, the qualifier, the region and the account",
		},
	],
	["AccessDeniedException", denied],
	["UnrecognizedClientException", invalidCredentials],
	["InvalidClientTokenId", invalidCredentials],
	["ExpiredTokenException", invalidCredentials],
	["ExpiredToken", invalidCredentials],
	[
		"InvalidSignatureException",
		{ ...invalidCredentials, say: "the signature is not valid; check the secret key and the clock" },
	],
]);

/** Of a longer message nothing more is read: it may be a page of megabytes. */
const longestMessage = 10_000;

/** The message without the AWS SDK's hint for those who develop it. */
export function messageOf({ message = "" }: { readonly message?: string }): string {
	const text = message.slice(0, longestMessage);
	const hint = text.indexOf("Deserialization error: to see the raw response");
	return (hint === -1 ? text : text.slice(0, hint)).trimEnd();
}

/**
 * What failed, and whether the function ran, from what the AWS SDK threw when it called Invoke.
 *
 * @param unsent whether the call failed before the AWS SDK sent anything to Lambda
 */
export function invokeFailure(error: unknown, unsent = false): LambdaTransportError {
	const sdkError: SdkError = error instanceof Error ? error : new Error(String(error));
	const { name = "Error", $metadata, Reason, retryAfterSeconds, errorType, errorMessage } = sdkError;
	// AWS's interface emulator answers so, with HTTP 502, when the function's process ends.
	if (typeof errorType === "string" && typeof errorMessage === "string") {
		const failure = functionFailure("Unhandled", JSON.stringify({ errorType, errorMessage }));
		return failure.with({ awsRequestId: $metadata?.requestId, httpStatusCode: $metadata?.httpStatusCode });
	}
	const { code, execution, say } = unsent ? findUnsentMeaning(sdkError) : findMeaning(sdkError);
	const detail = Reason ?? messageOf(sdkError);
	const seconds = Number(retryAfterSeconds);
	return new LambdaTransportError(
		code,
		detail === "" ? say : `${say} (${[name, shorten(detail)].join(": ")})`,
		{
			execution,
			awsErrorName: name,
			awsRequestId: $metadata?.requestId,
			httpStatusCode: $metadata?.httpStatusCode,
			retryAfterMs: seconds > 0 ? seconds * 1000 : undefined,
		},
		error,
	);
}

/**
 * Whether the AWS SDK has seen that the clock is wrong, and signs the next call with the right time. It says so of any
 * failure, also of one that the function ran before.
 */
export function isClockCorrected(error: unknown): boolean {
	return (error as SdkError | undefined)?.$metadata?.clockSkewCorrected === true;
}

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const untrustedCodes: ReadonlySet<string> = new Set([
	"CERT_HAS_EXPIRED",
	"CERT_NOT_YET_VALID",
	"DEPTH_ZERO_SELF_SIGNED_CERT",
	"ERR_TLS_CERT_ALTNAME_INVALID",
	"SELF_SIGNED_CERT_IN_CHAIN",
	"UNABLE_TO_GET_ISSUER_CERT",
	"UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
	"UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** Of what is needed for the call: credentials, a region, what a middleware of the user's adds. */
function findUnsentMeaning(error: SdkError): Meaning {
	const meaning = findMeaning(error);
	if (meaning === invalidCredentials || meaning.code === "CLIENT_MISCONFIGURED") return meaning;
	if (error.syscall !== undefined) return { ...meaning, code: "NETWORK", execution: "none" };
	const say = "the call could not be made; check the credentials and how the client is set up";
	return { code: "CLIENT_MISCONFIGURED", execution: "none", say };
}

function findMeaning(error: SdkError): Meaning {
	const status = error.$metadata?.httpStatusCode;
	const known = meanings.get(error.name ?? "");
	if (known) return known;
	if (status !== undefined && isThrottling(error)) {
		const say = "throttled; raise its concurrency, or send less at once";
		return { code: "THROTTLED", execution: "none", say };
	}
	// What is no JSON was written by something on the way.
	if (status !== undefined && status >= 300 && error.name === "SyntaxError") {
		const say = `what answered, with HTTP ${status}, is not Lambda; check the endpoint, and any proxy on the way`;
		return status < 500 ? refused(say) : { code: "SERVICE_ERROR", execution: "unknown", say };
	}
	if (untrustedCodes.has(error.code ?? "")) {
		const say = "its endpoint's certificate is not trusted; name the authority's file in NODE_EXTRA_CA_CERTS";
		return { code: "CLIENT_MISCONFIGURED", execution: "none", say };
	}
	if (error.name === "CredentialsProviderError" || error.name === "TokenProviderError") {
		const profile = process.env.AWS_PROFILE;
		const say = profile
			? `no AWS credentials were found, in the profile ${JSON.stringify(profile)} (AWS_PROFILE) or elsewhere; set a profile that exists, or AWS_* variables`
			: "no AWS credentials were found; set a profile or AWS_* variables";
		return { code: "CLIENT_MISCONFIGURED", execution: "none", say };
	}
	if (/^Region is missing/.test(error.message ?? "")) {
		return {
			code: "CLIENT_MISCONFIGURED",
			execution: "none",
			say: "no region was found; give regionName, or set AWS_REGION",
		};
	}
	// What could not be read is a response: a body that broke off, or that is not what Invoke answers.
	if (status !== undefined && status < 400) {
		return { code: "NETWORK", execution: "unknown", say: "the connection broke before the response was complete" };
	}
	if (status === 403 || status === 401) return denied;
	if (status === 413) return tooLarge;
	if (status !== undefined && status < 500) return refused(`Lambda refused the call with HTTP ${status}`);
	if (status !== undefined) {
		return { code: "SERVICE_ERROR", execution: "unknown", say: `Lambda failed with HTTP ${status}` };
	}
	if (isMistake(error)) {
		const say =
			"its client threw; give a LambdaClient of the @aws-sdk/client-lambda that is installed beside this package";
		return { code: "CLIENT_MISCONFIGURED", execution: "none", say };
	}
	return wasNeverSent(error)
		? {
				code: "NETWORK",
				execution: "none",
				say: "Lambda could not be reached; check the region, the endpoint and the network",
			}
		: { code: "NETWORK", execution: "unknown", say: "the connection broke" };
}

/** What JavaScript itself throws, and no network does: a client of another version of the AWS SDK, or none of its at all. */
function isMistake(error: SdkError): boolean {
	const isOfLanguage = /^(TypeError|ReferenceError|RangeError|SyntaxError)$/.test(error.name ?? "");
	return isOfLanguage && error.cause === undefined && error.code === undefined;
}

// EHOSTUNREACH and ENETUNREACH are not among them: an established connection ends with them too, when its route is lost.
const neverSentCodes: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"]);

/** Whether there was no connection on which the function could have been called. */
function wasNeverSent({ code, syscall, message = "", errors }: SdkError): boolean {
	if (errors && errors.length > 0) return errors.every((each) => wasNeverSent(each as SdkError));
	return (
		neverSentCodes.has(code ?? "") ||
		syscall === "connect" ||
		syscall === "getaddrinfo" ||
		// The AWS SDK's connectionTimeout has no code: https://github.com/smithy-lang/smithy-typescript/blob/main/packages/node-http-handler/src/set-connection-timeout.ts
		/did not establish a connection/.test(message)
	);
}
