import { isIP, Socket } from "node:net";

/** The hosts that this process has tried to reach outside this machine. Nothing gets there. */
export const refused: string[] = [];

const { connect } = Socket.prototype;

Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
	const [first, second] = (Array.isArray(args[0]) ? args[0] : args) as [unknown, unknown];
	const { host, path } = (typeof first === "object" ? first : { host: second }) as { host?: string; path?: string };
	// A path is that of a socket on this machine.
	if (host && !path && !isLoopback(host)) {
		refused.push(host);
		process.nextTick(() => this.destroy(new Error(`A connection to ${host} was refused: this run is offline`)));
		return this;
	}
	return Reflect.apply(connect, this, args);
} as typeof connect;

function isLoopback(host: string): boolean {
	return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
