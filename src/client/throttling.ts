/** The names under which AWS's services say that they throttle: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html */
const names: ReadonlySet<string> = new Set([
	"BandwidthLimitExceeded",
	"EC2ThrottledException",
	"LimitExceededException",
	"PriorRequestNotComplete",
	"ProvisionedThroughputExceededException",
	"RequestLimitExceeded",
	"RequestThrottled",
	"RequestThrottledException",
	"SlowDown",
	"ThrottledException",
	"Throttling",
	"ThrottlingException",
	"TooManyRequestsException",
	"TransactionInProgressException",
]);

type ServiceError = {
	readonly name?: string;
	readonly $metadata?: { readonly httpStatusCode?: number };
	readonly $retryable?: { readonly throttling?: boolean };
};

/** Whether an error of AWS's is about the rate of calls. The AWS SDK tells too, in another place in each of its versions. */
export function isThrottling({ name = "", $metadata, $retryable }: ServiceError): boolean {
	return $metadata?.httpStatusCode === 429 || names.has(name) || $retryable?.throttling === true;
}
