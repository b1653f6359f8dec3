const suffixes = [
	".amazonaws.com",
	".amazonaws.com.cn",
	".api.aws",
	".on.aws",
	".api.amazonwebservices.com.cn",
	".amazonaws.eu",
	".api.amazonwebservices.eu",
];

/** Names in hosts that are not the names which requests are signed for. */
const signingNames: Readonly<Record<string, string>> = {
	"lambda-url": "lambda",
	"bedrock-runtime": "bedrock",
	"bedrock-agent": "bedrock",
	"bedrock-agent-runtime": "bedrock",
	"bedrock-agentcore-control": "bedrock-agentcore",
};

const region = /^[a-z]{2,4}(-[a-z]+)+-\d+$/;

/** The service and region that an AWS host name tells; what it does not tell is left out. */
export function inferFromHost(hostname: string): { readonly service?: string; readonly region?: string } {
	const host = hostname.toLowerCase();
	const suffix = suffixes.find((end) => host.endsWith(end));
	if (!suffix) return {};
	const labels = host.slice(0, -suffix.length).split(".");
	// Interface endpoints of a VPC: vpce-….execute-api.<region>.vpce.amazonaws.com.
	if (labels.at(-1) === "vpce") labels.pop();
	const last = labels.pop();
	if (last === undefined || last === "") return {};
	if (!region.test(last)) return { service: signingName(last) };
	let name = labels.pop();
	if (name === "dualstack") name = labels.pop();
	return name ? { service: signingName(name), region: last } : { region: last };
}

function signingName(label: string): string {
	const name = label.replace(/-fips$/, "");
	return Object.hasOwn(signingNames, name) ? (signingNames[name] as string) : name;
}
