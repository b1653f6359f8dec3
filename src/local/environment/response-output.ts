/** Where the pieces of a streamed response go while the function still runs; a plain invocation has none. */
export type ResponseOutput = {
	/** The function streams its response, of which nothing has come yet; with the media type that it has set. */
	start(contentType: string | undefined): void;
	/** Resolves when the next piece is welcome: at once when nobody reads any more. */
	write(piece: Buffer): Promise<void>;
};
