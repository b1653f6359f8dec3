import { resolveParams, type StdioServerParams, serverKey } from "../params.ts";
import { createServer, type Server } from "./server.ts";

// One for the whole process (in a worker thread, for the thread): equal params share processes.
const servers = new Map<string, Server>();

/** What is being closed, whoever asked for it. */
const closing = new Set<Promise<void>>();

/** Keys by the text of params that have been checked before: it is cheaper to write them down than to check them. */
const checkedParams = new Map<string, string>();

/** Servers that have served nobody for longest are closed beyond this many, so that changing params cannot pile up processes. */
const keptServers = 8;
const keptTexts = 64;

/** The server that params describe; throws a TypeError for wrong params. Starts nothing. */
export function serverFor(params: StdioServerParams): Server {
	const text = asText(params);
	const key = text === undefined ? undefined : checkedParams.get(text);
	const known = key === undefined ? undefined : servers.get(key);
	if (!known) return addServer(params, text);
	if (servers.size > 1) {
		servers.delete(key as string);
		servers.set(key as string, known);
	}
	return known;
}

function addServer(params: StdioServerParams, text: string | undefined): Server {
	const resolved = resolveParams(params);
	const key = serverKey(resolved);
	const server = servers.get(key) ?? createServer(resolved);
	servers.set(key, server);
	if (checkedParams.size >= keptTexts) checkedParams.clear();
	if (text !== undefined) checkedParams.set(text, key);
	for (const [oldKey, old] of servers) {
		if (servers.size <= keptServers) break;
		if (old === server || !old.isIdle()) continue;
		servers.delete(oldKey);
		void close(old);
	}
	return server;
}

function asText(params: StdioServerParams): string | undefined {
	try {
		return JSON.stringify(params);
	} catch {
		return undefined;
	}
}

function close(server: Server): Promise<void> {
	const closed = server.close().finally(() => closing.delete(closed));
	closing.add(closed);
	return closed;
}

/** Closes a server in the background unless it is serving somebody; `false` when it is. */
export function closeIdleServer(params: StdioServerParams): boolean {
	const key = serverKey(resolveParams(params));
	const server = servers.get(key);
	if (server && !server.isIdle()) return false;
	servers.delete(key);
	if (server) void close(server);
	return true;
}

/** Closes one server, or all. */
export async function closeServers(params?: StdioServerParams): Promise<void> {
	const keys = params ? [serverKey(resolveParams(params))] : [...servers.keys()];
	// The processes do not keep this one alive, and whoever waits for their end must be able to.
	const stayAlive = setInterval(() => {}, 1000);
	try {
		await Promise.all(
			keys.map(async (key) => {
				const server = servers.get(key);
				servers.delete(key);
				if (server) await close(server);
			}),
		);
		await Promise.all(closing);
	} finally {
		clearInterval(stayAlive);
	}
}
