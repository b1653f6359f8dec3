/** The store that `@aws/lambda-invoke-store` finds in Lambda's Node.js runtimes: data of the invocation that runs now. */
export type InvokeStore = {
	run<T>(context: Record<PropertyKey, unknown>, work: () => T): T;
	getContext(): Record<PropertyKey, unknown> | undefined;
	hasContext(): boolean;
	get(key: PropertyKey): unknown;
	set(key: PropertyKey, value: unknown): void;
	getRequestId(): string;
	getXRayTraceId(): string | undefined;
	getTenantId(): string | undefined;
};

/** https://github.com/aws/aws-lambda-nodejs-runtime-interface-client: what the platform sets and nobody else. */
export const invokeStoreKeys: { readonly [name in "requestId" | "xRayTraceId" | "tenantId"]: symbol } = {
	requestId: Symbol.for("_AWS_LAMBDA_REQUEST_ID"),
	xRayTraceId: Symbol.for("_AWS_LAMBDA_X_RAY_TRACE_ID"),
	tenantId: Symbol.for("_AWS_LAMBDA_TENANT_ID"),
};

/** Puts the store where the package looks for it. */
export function installInvokeStore(): InvokeStore {
	const store = createInvokeStore();
	if (!["1", "true"].includes(process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA ?? "")) {
		const globals = globalThis as { awslambda?: object };
		globals.awslambda = { ...globals.awslambda, InvokeStore: store };
	}
	return store;
}

function createInvokeStore(): InvokeStore {
	let current: Record<PropertyKey, unknown> | undefined;
	const store: InvokeStore = {
		run: (context, work) => {
			current = context;
			return work();
		},
		getContext: () => current,
		hasContext: () => current !== undefined,
		get: (key) => current?.[key],
		set: (key, value) => {
			if ((Object.values(invokeStoreKeys) as PropertyKey[]).includes(key)) {
				throw new Error(`Cannot modify protected Lambda context field: ${String(key)}`);
			}
			current = { ...current, [key]: value };
		},
		getRequestId: () => (store.get(invokeStoreKeys.requestId) as string | undefined) ?? "-",
		getXRayTraceId: () => store.get(invokeStoreKeys.xRayTraceId) as string | undefined,
		getTenantId: () => store.get(invokeStoreKeys.tenantId) as string | undefined,
	};
	return store;
}
