/** Events as AWS documents them, around one request; the parts that no reader looks at are left out. */

export type Sent = {
	readonly method?: string;
	readonly path?: string;
	readonly query?: string;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: string;
	readonly base64?: boolean;
};

const defaults = {
	"Content-Type": "application/json",
	Accept: "application/json, text/event-stream",
	Host: "api.example.com",
};

function parts({ method = "POST", path = "/mcp", query = "", headers = {}, body = "{}", base64 = false }: Sent) {
	return {
		method,
		path,
		query,
		headers: { ...defaults, ...headers } as Record<string, string>,
		body: base64 ? Buffer.from(body).toString("base64") : body,
		isBase64Encoded: base64,
	};
}

function lower(headers: Readonly<Record<string, string>>): Record<string, string> {
	return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function lists(headers: Readonly<Record<string, string>>): Record<string, string[]> {
	return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.split(", ")]));
}

/** https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-request-payload */
export function functionUrlEvent(sent: Sent = {}): Record<string, unknown> {
	const { method, path, query, headers, body, isBase64Encoded } = parts(sent);
	const domainName = "abc123.lambda-url.eu-west-1.on.aws";
	return {
		version: "2.0",
		routeKey: "$default",
		rawPath: path,
		rawQueryString: query,
		cookies: ["a=1", "b=2"],
		headers: lower({ ...headers, Host: domainName }),
		requestContext: {
			accountId: "anonymous",
			apiId: "abc123",
			domainName,
			domainPrefix: "abc123",
			http: { method, path, protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "agent" },
			requestId: "id",
			routeKey: "$default",
			stage: "$default",
			time: "12/Mar/2026:19:03:58 +0000",
			timeEpoch: 1583348638390,
		},
		body,
		isBase64Encoded,
	};
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html, payload 2.0 */
export function httpApiEvent(sent: Sent = {}, stage = "$default", routeKey = "ANY /{proxy+}"): Record<string, unknown> {
	const event = functionUrlEvent(sent);
	const { path } = parts(sent);
	const whole = stage === "$default" ? path : `/${stage}${path}`;
	const context = event.requestContext as Record<string, unknown>;
	return {
		...event,
		routeKey,
		rawPath: whole,
		...(routeKey.includes("{proxy+}") && { pathParameters: { proxy: path.slice(1) } }),
		requestContext: {
			...context,
			domainName: "api1.execute-api.eu-west-1.amazonaws.com",
			http: { ...(context.http as object), path: whole },
			routeKey,
			stage,
			authorizer: { jwt: { claims: { sub: "user" }, scopes: null } },
		},
	};
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html, payload 1.0 */
export function restApiEvent(sent: Sent = {}, stage = "prod"): Record<string, unknown> {
	const { method, path, headers, body, isBase64Encoded } = parts(sent);
	return {
		resource: "/{proxy+}",
		path,
		httpMethod: method,
		headers,
		multiValueHeaders: lists(headers),
		queryStringParameters: null,
		multiValueQueryStringParameters: null,
		pathParameters: { proxy: path.slice(1) },
		stageVariables: null,
		requestContext: {
			resourcePath: "/{proxy+}",
			httpMethod: method,
			path: `/${stage}${path}`,
			domainName: "api1.execute-api.eu-west-1.amazonaws.com",
			stage,
			identity: { sourceIp: "192.0.2.1" },
			authorizer: { claims: { sub: "user" } },
		},
		body,
		isBase64Encoded,
	};
}

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html#receive-event-from-load-balancer */
export function loadBalancerEvent(sent: Sent = {}, multiValue = false): Record<string, unknown> {
	const { method, path, headers, body, isBase64Encoded } = parts(sent);
	return {
		requestContext: { elb: { targetGroupArn: "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/x/1" } },
		httpMethod: method,
		path,
		...(multiValue
			? { multiValueQueryStringParameters: {}, multiValueHeaders: lists(lower(headers)) }
			: { queryStringParameters: {}, headers: lower(headers) }),
		body,
		isBase64Encoded,
	};
}

/** https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html#receive-event-from-service, version 2.0 */
export function latticeEvent(sent: Sent = {}): Record<string, unknown> {
	const { method, path, query, headers, body, isBase64Encoded } = parts(sent);
	return {
		version: "2.0",
		path: query === "" ? path : `${path}?${query}`,
		method,
		headers: lists(lower(headers)),
		queryStringParameters: {},
		body,
		isBase64Encoded,
		requestContext: {
			serviceNetworkArn: "arn:aws:vpc-lattice:eu-west-1:1:servicenetwork/sn-1",
			serviceArn: "arn:aws:vpc-lattice:eu-west-1:1:service/svc-1",
			targetGroupArn: "arn:aws:vpc-lattice:eu-west-1:1:targetgroup/tg-1",
			region: "eu-west-1",
			timeEpoch: "1690497599177430",
		},
	};
}
