import type { ServerResponse } from "node:http";

/** Writes a piece of an answer; resolves when the next is welcome: at once when nobody reads any more. */
export function writePiece(response: ServerResponse, piece: Uint8Array): Promise<void> {
	if (response.destroyed || response.writableEnded) return Promise.resolve();
	if (response.write(piece)) return Promise.resolve();
	return new Promise((resolve) => {
		const goOn = (): void => {
			response.off("drain", goOn).off("close", goOn);
			resolve();
		};
		response.on("drain", goOn).on("close", goOn);
	});
}
