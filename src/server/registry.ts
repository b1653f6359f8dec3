import { createServer, type Server } from "./lifetime.ts";
import { type ResolvedServerParams, serverKey } from "./params.ts";

// One for the whole process (in a worker thread, for the thread): equal params share processes.
const servers = new Map<string, Server>();

/** Servers that have served nobody for longest are closed beyond this many, so that changing params cannot pile up processes. */
const keptServers = 8;

export function serverFor(params: ResolvedServerParams): Server {
	const key = serverKey(params);
	const known = servers.get(key);
	if (known) {
		if (servers.size > 1) {
			servers.delete(key);
			servers.set(key, known);
		}
		return known;
	}
	const server = createServer(params);
	servers.set(key, server);
	for (const [oldKey, old] of servers) {
		if (servers.size <= keptServers) break;
		if (old === server || !old.isIdle()) continue;
		servers.delete(oldKey);
		void old.close();
	}
	return server;
}

/** Closes one server, or all. */
export async function closeServers(params?: ResolvedServerParams): Promise<void> {
	const keys = params ? [serverKey(params)] : [...servers.keys()];
	// The processes do not keep this one alive, and whoever waits for their end must be able to.
	const stayAlive = setInterval(() => {}, 1000);
	try {
		await Promise.all(
			keys.map(async (key) => {
				const server = servers.get(key);
				servers.delete(key);
				await server?.close();
			}),
		);
	} finally {
		clearInterval(stayAlive);
	}
}
