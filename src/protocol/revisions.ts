/** What a revision with a handshake rules differently from the others, as far as HTTP goes. */
export type LegacyRevision = {
	/** Whether one POST may carry several messages: only 2025-03-26 says so, and what came before. */
	readonly batches: boolean;
};

// https://modelcontextprotocol.io/specification/2025-06-18/changelog: batches were removed with 2025-06-18.
const legacyRevisions: ReadonlyMap<string, LegacyRevision> = new Map([
	["2025-11-25", { batches: false }],
	["2025-06-18", { batches: false }],
	["2025-03-26", { batches: true }],
	["2024-11-05", { batches: true }],
]);

// https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#protocol-version-header
const assumedWithoutHeader = "2025-03-26";

/** The rules of the revision that `MCP-Protocol-Version` names; `undefined` when it names none that is spoken here. */
export function legacyRevision(version: string = assumedWithoutHeader): LegacyRevision | undefined {
	return legacyRevisions.get(version);
}

/** The names of the revisions with a handshake, newest first. */
export const legacyVersions: readonly string[] = [...legacyRevisions.keys()];
