// Stands in for the X-Ray daemon: what it would send to AWS is kept, to be printed as a tree.
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";

export async function startTraceListener() {
	const segments = new Map();
	const socket = createSocket("udp4", (packet) => {
		const text = packet.toString();
		keep(JSON.parse(text.slice(text.indexOf("\n") + 1)));
	});
	await new Promise((resolve) => socket.bind(0, "127.0.0.1", resolve));

	function keep({ subsegments = [], ...segment }, parent) {
		segments.set(segment.id, { ...segment, parent: segment.parent_id ?? parent });
		for (const subsegment of subsegments) keep(subsegment, segment.id);
	}

	function print({ id, name, start_time, end_time, annotations = {} }, depth = 0) {
		const facts = Object.entries(annotations).map(([key, value]) => `${key}=${value}`);
		const ms = ((end_time - start_time) * 1000).toFixed(0);
		console.log(`${"  ".repeat(depth + 1)}${name}  ${ms} ms  ${facts.join(" ")}`.trimEnd());
		for (const child of segments.values()) if (child.parent === id) print(child, depth + 1);
	}

	return {
		/** All segments, flat: each has the id of its parent in `parent`. */
		segments: () => [...segments.values()],
		address: `127.0.0.1:${socket.address().port}`,
		print() {
			for (const segment of segments.values()) {
				if (segment.parent && segments.has(segment.parent)) continue;
				console.log(`\ntrace ${segment.trace_id}`);
				print(segment);
			}
		},
		close: () => socket.close(),
	};
}

/** The header by which a caller says that its trace goes on in the function, and is recorded. */
export function newTraceHeader() {
	const seconds = Math.floor(Date.now() / 1000).toString(16);
	const [root, parent] = [randomBytes(12).toString("hex"), randomBytes(8).toString("hex")];
	return `Root=1-${seconds}-${root};Parent=${parent};Sampled=1`;
}
