// Loading the package in a process that has loaded nothing else.

import { importCore, importReference } from "../subjects.mjs";
import { runVariant, timeEach } from "../variant.mjs";

await runVariant({
	empty: async () => ({ ms: await timeEach(1, () => import("./empty.mjs")) }),
	core: async () => ({ ms: await timeEach(1, importCore) }),
	reference: async () => ({ ms: await timeEach(1, importReference) }),
});
