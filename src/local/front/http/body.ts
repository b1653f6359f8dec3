import type { HttpRequest } from "./front.ts";

const textTypes = /^(text\/.*|application\/(json|javascript|xml|[\w.-]+\+(json|xml)))$/i;

/** A body in an event: as text where its media type says that it is one and nothing has packed it, else in base64. */
export function eventBody({ body, header }: HttpRequest): { readonly body: string; readonly isBase64Encoded: boolean } {
	const type = header["content-type"]?.split(";")[0]?.trim() ?? "";
	const isBase64Encoded = !textTypes.test(type) || header["content-encoding"] !== undefined;
	return { body: body.toString(isBase64Encoded ? "base64" : "utf8"), isBase64Encoded };
}
