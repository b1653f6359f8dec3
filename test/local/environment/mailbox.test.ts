import { expect, test } from "vitest";
import { createMailbox } from "../../../src/local/environment/mailbox.ts";

test("a second reader is refused while the first waits, which gets what comes", async () => {
	const mailbox = createMailbox<string>();
	const first = mailbox.take(60_000);
	expect(() => mailbox.take(1)).toThrow("The mailbox has a reader already");
	mailbox.put("item");
	expect(await first).toBe("item");
	expect(await mailbox.take(0)).toBeUndefined();
});
