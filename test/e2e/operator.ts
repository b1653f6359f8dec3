import { createSocket } from "node:dgram";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { LocalFunctionOptions } from "../../src/local/index.ts";
import { type Runtime, startLambda, type TestLambda } from "../local/lambda.ts";

type Json = Record<string, unknown>;

/** A line that the Powertools Logger wrote. */
// biome-ignore lint/suspicious/noExplicitAny: the shape is what the test asserts.
type LogLine = Json & { readonly level: string; readonly message: string; readonly mcp?: any };

export type Segment = {
	readonly name: string;
	readonly id: string;
	readonly parent_id?: string;
	readonly trace_id?: string;
	readonly start_time: number;
	readonly end_time: number;
	readonly fault?: boolean;
	readonly error?: boolean;
	readonly annotations?: Json;
	readonly cause?: { readonly exceptions: readonly { readonly type: string; readonly message: string }[] };
	readonly subsegments?: readonly Segment[];
};

/** A blob in CloudWatch's embedded metric format. */
type MetricBlob = Json & {
	readonly _aws: {
		readonly CloudWatchMetrics: readonly [
			{ readonly Namespace: string; readonly Dimensions: string[][]; readonly Metrics: { readonly Name: string }[] },
		];
	};
};

/** What an operator of a function sees of it. */
export type Operator = {
	readonly lambda: TestLambda;
	/** Invokes the function within a sampled trace of its own; `root` identifies the trace. */
	invoke(event: unknown): Promise<{ readonly payload: Json; readonly failed: boolean; readonly root: string }>;
	lines(): LogLine[];
	blobs(): MetricBlob[];
	/** All values of a metric that carries exactly these dimensions. */
	values(name: string, dimensions?: readonly string[]): number[];
	segments(): Segment[];
	forget(): void;
};

const functionName = "everything";

/** A function of `powertools.mjs` in a Lambda whose logs and X-Ray daemon are listened to. */
export async function startOperator(
	server: string,
	environment: Record<string, string>,
	{ runtime }: Pick<Runtime, "runtime">,
	options: Partial<LocalFunctionOptions> = {},
): Promise<Operator> {
	const packets: string[] = [];
	const daemon = createSocket("udp4", (packet) => packets.push(packet.toString()));
	await new Promise<void>((resolve) => daemon.bind(0, "127.0.0.1", resolve));
	onTestFinished(() => void daemon.close());
	const lambda = await startLambda({
		[functionName]: {
			handler: fileURLToPath(new URL("../fixtures/functions/powertools.mjs", import.meta.url)),
			runtime,
			memorySizeMb: 1024,
			timeoutMs: 100_000,
			...options,
			environment: {
				SERVER: JSON.stringify([server]),
				ORDER: "logger tracer metrics mcp",
				POWERTOOLS_SERVICE_NAME: "weather",
				POWERTOOLS_METRICS_NAMESPACE: "Test",
				AWS_XRAY_DAEMON_ADDRESS: `127.0.0.1:${daemon.address().port}`,
				...environment,
			},
		},
	});
	let forgotten = 0;
	let count = 0;
	const json = (): Json[] =>
		lambda.logs.slice(forgotten).flatMap(({ message }) => {
			const start = message.indexOf("{");
			try {
				return start === -1 ? [] : [JSON.parse(message.slice(start)) as Json];
			} catch {
				return [];
			}
		});
	const blobs = (): MetricBlob[] => json().filter((line): line is MetricBlob => "_aws" in line);
	return {
		lambda,
		async invoke(event) {
			count += 1;
			const root = `1-5759e988-${count.toString(16).padStart(24, "0")}`;
			const response = await fetch(`${lambda.endpoint}/2015-03-31/functions/${functionName}/invocations`, {
				method: "POST",
				headers: { "X-Amzn-Trace-Id": `Root=${root};Parent=557abcec3ee5a047;Sampled=1` },
				body: JSON.stringify(event),
			});
			// Of a function that streams, the response comes behind its notifications.
			const payload = JSON.parse((await response.text()).trim().split("\n").at(-1) ?? "") as Json;
			return { payload, failed: response.headers.has("x-amz-function-error"), root };
		},
		lines: () => json().filter((line): line is LogLine => "service" in line && "message" in line),
		blobs,
		values: (name, dimensions = ["service"]) =>
			blobs()
				.filter((blob) => blob._aws.CloudWatchMetrics[0].Dimensions.some((set) => `${set}` === `${dimensions}`))
				.flatMap((blob) => (blob[name] as number | number[] | undefined) ?? []),
		segments: () => packets.map((packet) => JSON.parse(packet.slice(packet.indexOf("\n") + 1)) as Segment),
		forget: () => {
			forgotten = lambda.logs.length;
			packets.length = 0;
		},
	};
}

/** A segment and everything below it. */
export function flatten(segments: readonly Segment[]): Segment[] {
	return segments.flatMap((segment) => [
		segment,
		...flatten((segment.subsegments ?? []).map((child) => ({ parent_id: segment.id, ...child }))),
	]);
}
