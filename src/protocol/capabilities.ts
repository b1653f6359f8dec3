import { isObject } from "../jsonrpc.ts";

/**
 * The result of `initialize` without what a process that serves one request cannot keep: a task, or a subscription to a resource,
 * would be gone with it. A client that is told of them would create one and never find it again.
 */
export function withoutKeptState(result: Readonly<Record<string, unknown>>): Record<string, unknown> {
	const { capabilities } = result;
	if (!isObject(capabilities)) return { ...result };
	const { tasks: _tasks, ...others } = capabilities;
	if (!isObject(others.resources)) return { ...result, capabilities: others };
	const { subscribe: _subscribe, ...resources } = others.resources;
	return { ...result, capabilities: { ...others, resources } };
}
