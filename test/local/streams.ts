import {
	InvokeWithResponseStreamCommand,
	type InvokeWithResponseStreamCommandInput,
	type InvokeWithResponseStreamCompleteEvent,
	type LambdaClient,
} from "@aws-sdk/client-lambda";

export type OpenStream = {
	readonly status: number | undefined;
	readonly version: string | undefined;
	readonly requestId: string | undefined;
	/** The next piece, or `undefined` when the stream has ended. */
	next(): Promise<Buffer | undefined>;
	/** Everything that is left. */
	rest(): Promise<Buffer>;
	/** Once the stream has ended. */
	complete(): InvokeWithResponseStreamCompleteEvent | undefined;
};

/** InvokeWithResponseStream through the AWS SDK. */
export async function openStream(
	{ client }: { readonly client: LambdaClient },
	name: string,
	event: unknown = {},
	input: Partial<InvokeWithResponseStreamCommandInput> = {},
	abortSignal?: AbortSignal,
): Promise<OpenStream> {
	const result = await client.send(
		new InvokeWithResponseStreamCommand({ FunctionName: name, Payload: JSON.stringify(event), ...input }),
		abortSignal ? { abortSignal } : {},
	);
	const events = result.EventStream?.[Symbol.asyncIterator]();
	let complete: InvokeWithResponseStreamCompleteEvent | undefined;
	const next = async (): Promise<Buffer | undefined> => {
		const { value, done } = (await events?.next()) ?? { done: true };
		if (done || !value) return undefined;
		if (complete) throw new Error("An event follows InvokeComplete");
		if (value.PayloadChunk) return Buffer.from(value.PayloadChunk.Payload ?? []);
		if (!value.InvokeComplete) throw new Error(`An unknown event: ${JSON.stringify(value)}`);
		complete = value.InvokeComplete;
		return await next();
	};
	return {
		status: result.StatusCode,
		version: result.ExecutedVersion,
		requestId: result.$metadata.requestId,
		next,
		rest: async () => {
			const pieces: Buffer[] = [];
			for (let piece = await next(); piece; piece = await next()) pieces.push(piece);
			return Buffer.concat(pieces);
		},
		complete: () => complete,
	};
}

/** A stream read to its end. */
export async function readStream(
	...call: Parameters<typeof openStream>
): Promise<{ readonly bytes: Buffer; readonly complete: InvokeWithResponseStreamCompleteEvent | undefined }> {
	const stream = await openStream(...call);
	return { bytes: await stream.rest(), complete: stream.complete() };
}
